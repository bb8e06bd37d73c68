-- The keys by which a search finds an account beside its name and its address: of the display name, of the last word of that,
-- and of the address where it is not compared as names are. The program makes them; a key that says no more is NULL.
ALTER TABLE account ADD COLUMN display_key TEXT;
ALTER TABLE account ADD COLUMN family_key TEXT;
ALTER TABLE account ADD COLUMN address_name TEXT;
CREATE INDEX account_display ON account (org, display_key) WHERE display_key IS NOT NULL;
CREATE INDEX account_family ON account (org, family_key) WHERE family_key IS NOT NULL;
CREATE INDEX account_address_name ON account (org, address_name) WHERE address_name IS NOT NULL;

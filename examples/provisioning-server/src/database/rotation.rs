//! The rotation of the keys by which secrets are sealed.

use std::fs::{File, OpenOptions, TryLockError};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::lock::beside;
use super::sealed_columns::Place;
use super::{Product, audit, keys, sealed_columns};
use crate::domain::actor::Actor;
use crate::domain::fault::{Fault, Result};
use crate::domain::sealed::{Column, KeyId, KeyRing};

/// Values that one transaction seals anew: others who write wait for it.
const STEP: u32 = 200;

/// The word of the audit log.
const ACTION: &str = "instance.rotate-keys";

impl Product {
    /// Adds a key, seals everything anew with it, and takes the older ones away. A rotation that was killed goes on. Answers
    /// with the keys that are gone.
    ///
    /// # Errors
    /// Another rotation is under way, the key file cannot be written, or something does not open. Then no key is taken away.
    pub(crate) async fn rotate_keys(&self, actor: &Actor) -> Result<Vec<KeyId>> {
        let _alone = self.lock_keys()?;
        let found = self.keys.read()?;
        let ring = match found.is_in_rotation() {
            true => found,
            false => self.keys.replace(found.with(keys::generate()?))?,
        };
        let proving = Arc::clone(&ring);
        self.write(move |tx| keys::prove(tx, &proving).map(Ok)).await?;
        while !self.is_sealed_anew(&ring, actor).await? {
            for column in sealed_columns::ALL {
                self.seal_anew(&ring, column).await?;
            }
        }
        let newest = ring.newest().id;
        let gone = ring.iter().map(|key| key.id).filter(|id| *id != newest).collect();
        self.keys.replace(ring.newest_alone())?;
        Ok(gone)
    }

    /// Returns the keys, the oldest first, and whether a rotation has begun and not ended.
    pub(crate) fn key_ring(&self) -> Result<Arc<KeyRing>> {
        self.keys.read()
    }

    /// Keeps other rotations away, until what is returned is dropped or the process ends.
    fn lock_keys(&self) -> Result<File> {
        let path = beside(self.keys.file(), ".lock");
        let not_locked = |cause| Fault::internal(format!("{} cannot be locked.", path.display()), cause);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(not_locked)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Fault::conflict(
                "Another \"key rotate\" is under way: wait until it has ended.",
            )),
            Err(TryLockError::Error(cause)) => Err(not_locked(cause)),
        }
    }

    async fn seal_anew(&self, ring: &Arc<KeyRing>, column: &'static Column) -> Result<()> {
        let mut place: Place = None;
        loop {
            let (ring, from) = (Arc::clone(ring), place);
            place = self
                .write(move |tx| sealed_columns::seal_anew(tx, &ring, column, &from, STEP).map(Ok))
                .await?;
            if place.is_none() {
                return Ok(());
            }
        }
    }

    /// Returns whether nothing is sealed by an older key any more. If so, the database forgets them in the same transaction.
    async fn is_sealed_anew(&self, ring: &Arc<KeyRing>, actor: &Actor) -> Result<bool> {
        let (ring, actor) = (Arc::clone(ring), actor.clone());
        self.write(move |tx| {
            if !sealed_columns::are_new(tx, &ring)? {
                return Ok(Ok(false));
            }
            keys::forget_older(tx, &ring)?;
            let detail = json!({ "key": ring.newest().id.to_string() });
            audit::insert_everywhere(tx, &actor, ACTION, Timestamp::now(), &detail)?;
            Ok(Ok(true))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;

    use super::*;
    use crate::database::mail::{self, LINK};
    use crate::database::{Address, Purpose, key_file, product_of_test};
    use crate::domain::mail::{Kind, Link, Mail, Recipient};

    const ANN: Uuid = Uuid::from_u128(7);

    fn invitation(number: usize) -> Mail {
        let recipient = Recipient {
            account: Some(ANN),
            address: "ann@x.example".to_owned(),
        };
        let link = Link::parse(&format!("/o/acme/link/s{number}")).unwrap();
        Mail::invitation(recipient, link, Timestamp::UNIX_EPOCH)
    }

    async fn queue(product: &Product, number: usize) {
        let keys = product.keys().clone();
        product
            .write(move |tx| {
                mail::queue(tx, &keys, Uuid::nil(), Timestamp::UNIX_EPOCH, &invitation(number)).map(Ok)
            })
            .await
            .unwrap();
    }

    /// Returns every link, opened, with the key that it is sealed by.
    async fn links(product: &Product) -> Vec<(String, KeyId)> {
        let keys = product.keys().clone();
        let read = product.write(move |tx| {
            let found = tx.query_all("SELECT org, id, sealed_link FROM mail ORDER BY id", &[], |row| {
                Ok([
                    row.blob(0)?.to_owned(),
                    row.blob(1)?.to_owned(),
                    row.blob(2)?.to_owned(),
                ])
            })?;
            let mut links = Vec::new();
            for [org, id, sealed] in found {
                let opened = keys.open(&LINK, &[&org, &id], &sealed)?;
                links.push((String::from_utf8(opened).unwrap(), KeyId::of(&sealed).unwrap()));
            }
            Ok(Ok(links))
        });
        read.await.unwrap()
    }

    fn operator() -> Actor {
        Actor::operator("root".to_owned())
    }

    /// Feature row 94: after a rotation everything is sealed by the new key and opens, and only the new one is left; another
    /// process, which has read the old one, goes on.
    #[tokio::test]
    async fn a_rotation_seals_everything_anew() {
        let (product, folder) = product_of_test().await;
        let address = Address::parse(&format!("sqlite://{}", folder.path().join("x.db").display())).unwrap();
        let other = Product::open(&address, Purpose::Command).await.unwrap();
        let count = usize::try_from(STEP).unwrap() * 2 + 3;
        for number in 0..count {
            queue(&product, number).await;
        }
        let old = product.key_ring().unwrap().newest().id;
        assert!(links(&other).await.iter().all(|(_, key)| *key == old));
        assert_eq!(product.rotate_keys(&operator()).await.unwrap(), [old]);
        queue(&other, count).await;
        let new = other.key_ring().unwrap().newest().id;
        assert_ne!(new, old);
        for reader in [&product, &other] {
            let found = links(reader).await;
            assert_eq!(found.len(), count + 1);
            for (number, (link, key)) in found.iter().enumerate() {
                assert_eq!((link.as_str(), *key), (&*format!("/o/acme/link/s{number}"), new));
            }
        }
        assert_eq!(product.key_ring().unwrap().iter().count(), 1);
        assert!(product.inspect(|_| {}).await.unwrap().findings.is_empty());
    }

    /// Feature row 94: a rotation that ended at any of its steps is gone on with, without another key.
    #[tokio::test]
    async fn a_rotation_that_was_killed_goes_on() {
        let (product, _folder) = product_of_test().await;
        for number in 0..3 {
            queue(&product, number).await;
        }
        let first = product.key_ring().unwrap();
        // The key was added, and one value was sealed anew.
        let ring = Arc::new(first.with(keys::generate().unwrap()));
        key_file::replace(product.keys().file(), &ring).unwrap();
        let (proving, sealing) = (Arc::clone(&ring), Arc::clone(&ring));
        product
            .write(move |tx| keys::prove(tx, &proving).map(Ok))
            .await
            .unwrap();
        product
            .write(move |tx| sealed_columns::seal_anew(tx, &sealing, &LINK, &None, 1).map(Ok))
            .await
            .unwrap();
        assert_eq!(links(&product).await.len(), 3);
        assert_eq!(
            product.rotate_keys(&operator()).await.unwrap(),
            [first.newest().id]
        );
        assert!(
            links(&product)
                .await
                .iter()
                .all(|(_, key)| *key == ring.newest().id)
        );
        // Everything was done but for the key file.
        key_file::replace(product.keys().file(), &ring).unwrap();
        assert_eq!(
            product.rotate_keys(&operator()).await.unwrap(),
            [first.newest().id]
        );
        assert_eq!(product.key_ring().unwrap().newest().id, ring.newest().id);
    }

    /// Feature row 94: where something does not open, no key is taken away, and the check says what it is.
    #[tokio::test]
    async fn what_does_not_open_keeps_its_key() {
        let (product, _folder) = product_of_test().await;
        queue(&product, 0).await;
        queue(&product, 1).await;
        product
            .write(|tx| {
                let sql =
                    "UPDATE mail SET sealed_link = (SELECT m.sealed_link FROM mail m ORDER BY m.id LIMIT 1)";
                tx.execute(sql, &[]).map(Ok)
            })
            .await
            .unwrap();
        let old = product.key_ring().unwrap().newest().id;
        product.rotate_keys(&operator()).await.unwrap_err();
        assert!(product.key_ring().unwrap().find(old).is_some());
        let found = product.inspect(|_| {}).await.unwrap().findings;
        assert_eq!(found, ["1 sealed values of mail.sealed_link do not open"]);
    }

    /// Feature row 94: a database with sealed values opens with its key file alone, and makes no other in its place; one
    /// without makes a new file.
    #[tokio::test]
    async fn sealed_values_need_their_key_file() {
        let (product, folder) = product_of_test().await;
        let address = Address::parse(&format!("sqlite://{}", folder.path().join("x.db").display())).unwrap();
        let file = product.keys().file().to_owned();
        product.close().await;
        fs::remove_file(&file).unwrap();
        let product = Product::open(&address, Purpose::Command).await.unwrap();
        queue(&product, 0).await;
        product.close().await;
        let right = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let refused = Product::open(&address, Purpose::Command)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("is missing, and secrets"), "{refused}");
        assert!(!file.exists());
        let wrong = KeyRing::new(keys::generate().unwrap());
        key_file::create(&file, &wrong).unwrap();
        let refused = Product::open(&address, Purpose::Command)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("does not hold the key"), "{refused}");
        fs::write(&file, right).unwrap();
        Product::open(&address, Purpose::Command).await.unwrap();
    }

    /// Feature row 20: a link that has ended ends the mail that would bring it, and a message has the same id for ever.
    #[tokio::test]
    async fn a_mail_is_cancelled_with_its_link() {
        let (product, _folder) = product_of_test().await;
        product.set_origin("https://scim.example.com").await.unwrap();
        queue(&product, 0).await;
        let cancel = |kind| product.write(move |tx| mail::cancel(tx, Uuid::nil(), ANN, kind).map(Ok));
        assert_eq!(cancel(Kind::ResetLink).await.unwrap(), 0);
        assert_eq!(cancel(Kind::Invitation).await.unwrap(), 1);
        assert_eq!(cancel(Kind::Invitation).await.unwrap(), 0);
        let kept = product
            .write(|tx| {
                let sql = "SELECT state, message_id FROM mail WHERE sealed_link IS NULL AND due IS NULL";
                tx.query_one(sql, &[], |row| {
                    Ok([row.text(0)?.to_owned(), row.text(1)?.to_owned()])
                })
                .map(Ok)
            })
            .await
            .unwrap()
            .unwrap();
        assert!(
            kept[0] == "cancelled" && kept[1].ends_with("@scim.example.com>"),
            "{kept:?}"
        );
        assert!(product.inspect(|_| {}).await.unwrap().findings.is_empty());
    }
}

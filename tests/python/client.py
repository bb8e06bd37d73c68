"""Uses a SCIM server through scim2-client, which checks every answer against the schemas the server publishes.

The server is named by the environment: SCIM_URL and SCIM_TOKEN.
"""

import os

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Error, PatchOp, PatchOperation, SearchRequest


def expect(holds, what):
    if not holds:
        raise SystemExit(f"not so: {what}")


def main():
    http = Client(
        base_url=os.environ["SCIM_URL"],
        headers={"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"},
        timeout=60,
    )
    scim = SyncSCIMClient(http)
    scim.discover()
    User = scim.get_resource_model("User")
    Group = scim.get_resource_model("Group")

    ada = scim.create(
        User(
            user_name="Ada@example.com",
            display_name="Ada",
            emails=[User.Emails(value="ada@example.com", type="work", primary=True)],
        )
    )
    expect(ada.id and ada.meta.version and ada.meta.location.endswith(f"/Users/{ada.id}"), f"created {ada}")
    bob = scim.create(User(user_name="bob@example.com"))

    again = scim.create(User(user_name="ADA@EXAMPLE.COM"), raise_scim_errors=False)
    expect(isinstance(again, Error) and again.status == 409 and again.scim_type == "uniqueness", f"409: {again}")

    found = scim.query(User, query_parameters=SearchRequest(filter='userName eq "ada@EXAMPLE.com"'))
    expect([user.id for user in found.resources] == [ada.id] and found.total_results == 1, f"found {found}")
    searched = scim.search(User, SearchRequest(filter='emails[type eq "work"]', attributes=["userName"]))
    expect([user.id for user in searched.resources] == [ada.id], f"searched {searched}")
    expect(searched.resources[0].display_name is None, f"projected {searched}")
    page = scim.query(User, query_parameters=SearchRequest(start_index=2, count=1))
    expect((page.total_results, page.items_per_page, page.start_index) == (2, 1, 2), f"page {page}")

    change = PatchOp[User](operations=[PatchOperation[User](op="replace", path="displayName", value="Countess")])
    scim.modify(User, ada.id, change)
    ada = scim.query(User, ada.id)
    expect(ada.display_name == "Countess" and ada.emails[0].value == "ada@example.com", f"patched {ada}")

    ada.display_name = "Ada Lovelace"
    ada.emails = None
    ada = scim.replace(ada)
    expect(ada.display_name == "Ada Lovelace" and not ada.emails, f"replaced {ada}")

    group = scim.create(Group(display_name="Analysts", members=[Group.Members(value=ada.id)]))
    expect([member.value for member in group.members] == [ada.id], f"group {group}")
    grow = PatchOp[Group](operations=[PatchOperation[Group](op="add", path="members", value=[{"value": bob.id}])])
    scim.modify(Group, group.id, grow)
    group = scim.query(Group, group.id)
    expect({member.value for member in group.members} == {ada.id, bob.id}, f"grown {group}")
    shrink = PatchOp[Group](operations=[PatchOperation[Group](op="remove", path=f'members[value eq "{ada.id}"]')])
    scim.modify(Group, group.id, shrink)
    group = scim.query(Group, group.id)
    expect([member.value for member in group.members] == [bob.id], f"shrunk {group}")
    bob = scim.query(User, bob.id)
    expect([reference.value for reference in bob.groups] == [group.id], f"groups of bob {bob}")

    for model, resource in [(Group, group), (User, ada), (User, bob)]:
        scim.delete(model, resource.id)
        gone = scim.query(model, resource.id, raise_scim_errors=False)
        expect(isinstance(gone, Error) and gone.status == 404, f"404: {gone}")
    print("done")


if __name__ == "__main__":
    main()

//! Typed paths know what there is.

use scim::resources::User;

fn main() {
    _ = User::paths().emails().colour();
    _ = User::paths().surname();
}

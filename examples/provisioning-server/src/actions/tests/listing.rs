//! The lists of pages, by the statements that they run.

use crate::actions::act::View;
use crate::actions::organization::{Beginning, Draft};
use crate::actions::{account, organization, people};
use crate::database::accounts::Shown;
use crate::database::page::Page;
use crate::database::{organizations, product_of_test};
use crate::domain::actor::Actor;
use crate::domain::organization::Name;
use crate::domain::settings::Changes;

/// Feature row 50: a page of people runs a few statements, as many whomever it shows.
#[tokio::test]
async fn a_page_of_people_runs_few_statements() {
    let (product, _folder) = product_of_test().await;
    let operator = Actor::operator("root".to_owned());
    let name = Name::parse("acme").unwrap();
    let draft = Draft {
        name: name.clone(),
        display: None,
        settings: Changes::default(),
        beginning: Beginning::Enabled,
    };
    organization::create(&product, &operator, draft).await.unwrap();
    for number in 0..12 {
        let user = format!("person-{number:02}@x.example");
        account::create(&product, &operator, &name, &user, None)
            .await
            .unwrap();
        let by_hand = account::ByHand {
            roles: vec!["Read only".to_owned()],
            ..account::ByHand::default()
        };
        account::grant(&product, &operator, &name, &user, by_hand)
            .await
            .unwrap();
    }
    let run = product.read(move |reader| {
        let organization = organizations::find(reader, &name)?.unwrap();
        let view = View {
            reader,
            organization: &organization,
        };
        [2, 4, 10]
            .into_iter()
            .map(|size| {
                let page = Page {
                    size,
                    ..Page::default()
                };
                let (found, texts) = reader.recorded(|| people::found(&view, Shown::default(), &page));
                let found = found?;
                assert_eq!(found.people.len(), usize::try_from(size).unwrap());
                assert!(found.has_more);
                Ok(texts.len())
            })
            .collect::<scim::Result<Vec<_>>>()
    });
    let [two, four, ten] = run.await.unwrap()[..] else {
        panic!("three pages were asked for");
    };
    assert_eq!((two, two), (four, ten));
    assert!(two <= 24, "{two} statements");
}

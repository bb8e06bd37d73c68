//! Keys of a body that are paths, such as `name.givenName`: POST and PUT read them as a PATCH without a path does.

use crate::error::Result;
use crate::patch::message::Reader;
use crate::patch::operation::Target;
use crate::path::AttrPath;
use crate::policy::Policy;
use crate::schema::{Attribute, ResourceType, position};
use crate::value::{Action, Cx, Edit, Json, JsonBuf, Select};

/// Moves what stands under keys that are paths to where the paths lead; `None` if there is no such key, which is so of
/// nearly every body.
///
/// # Errors
/// 400 `invalidFilter` for a key whose brackets hold a broken filter, and 400 `noTarget` for one whose filter does not
/// say what it selects.
pub(crate) fn expand(
    body: Json<'_>,
    resource_type: &'static ResourceType,
    policy: &Policy,
    cx: &mut Cx<'_>,
) -> Result<Option<JsonBuf>> {
    let table = resource_type.schema.attributes;
    if !body
        .members()
        .any(|(key, value)| may_be_path(&key, value, resource_type))
    {
        return Ok(None);
    }
    let mut reader = Reader {
        resource_type,
        policy,
        cx,
        text: "",
        operations: Vec::new(),
        index: 0,
        terms: 0,
    };
    let mut expanded = Expanded {
        reader: &mut reader,
        table,
        members: Vec::new(),
        found: false,
    };
    expanded.object(body)?;
    let Expanded { members, found, .. } = expanded;
    Ok(found.then(|| object(&members)))
}

fn may_be_path(key: &str, value: Json<'_>, resource_type: &ResourceType) -> bool {
    match position(resource_type.schema.attributes, key) {
        Some((_, attribute)) if attribute.is_extension() => value
            .members()
            .any(|(key, _)| attribute.sub_attribute(&key).is_none()),
        Some(_) => false,
        None => !key.eq_ignore_ascii_case("schemas"),
    }
}

type Members = Vec<(String, JsonBuf)>;

struct Expanded<'r, 'p, 'cx> {
    reader: &'r mut Reader<'p, 'cx>,
    table: &'static [Attribute],
    members: Members,
    found: bool,
}

impl Expanded<'_, '_, '_> {
    fn object(&mut self, body: Json<'_>) -> Result<()> {
        let mut paths = Vec::new();
        for (key, value) in body.members() {
            match position(self.table, &key) {
                Some((_, extension)) if extension.is_extension() && value.is_object() => {
                    self.extension(extension, &key, value, &mut paths)?;
                }
                None if key.eq_ignore_ascii_case(self.reader.resource_type.schema.id)
                    && value.is_object() =>
                {
                    self.found = true;
                    self.object(value)?;
                }
                None if !key.eq_ignore_ascii_case("schemas") => match self.reader.path_key(&key)? {
                    Some(target) => paths.push((target, value)),
                    None => self.members.push((key.into_owned(), value.into())),
                },
                _ => self.members.push((key.into_owned(), value.into())),
            }
        }
        // Whatever is named by its path says more than what stands beside it, and so comes last.
        for (target, value) in paths {
            self.found = true;
            if !self.reader.is_read_only(target.path) {
                self.put(&target, value)?;
            }
        }
        Ok(())
    }

    fn extension<'j>(
        &mut self,
        extension: &'static Attribute,
        name: &str,
        value: Json<'j>,
        paths: &mut Vec<(Target, Json<'j>)>,
    ) -> Result<()> {
        let mut plain: Members = Vec::new();
        for (key, value) in value.members() {
            let target = match extension.sub_attribute(&key) {
                Some(_) => None,
                None => self.reader.path_key(&format!("{}:{key}", extension.name))?,
            };
            match target {
                Some(target) => paths.push((target, value)),
                None => plain.push((key.into_owned(), value.into())),
            }
        }
        self.members.push((name.to_owned(), object(&plain)));
        Ok(())
    }

    /// Puts a value where a path leads, beside what is there.
    fn put(&mut self, target: &Target, value: Json<'_>) -> Result<()> {
        put(&mut self.members, self.table, target.path, target, value)
    }
}

fn put(
    members: &mut Members,
    table: &'static [Attribute],
    path: AttrPath,
    target: &Target,
    value: Json<'_>,
) -> Result<()> {
    let [step, rest @ ..] = path.steps() else {
        return Ok(());
    };
    let Some(attribute) = table.get(usize::from(*step)) else {
        return Ok(());
    };
    let known = members
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case(attribute.name));
    let held = known.map(|index| members.swap_remove(index).1);
    let sub_attributes = attribute.shape.sub_attributes;
    let new = if attribute.shape.multi_valued && (target.select.is_some() || !rest.is_empty()) {
        let edit = Edit {
            action: Action::Add(value),
            select: target.select.as_ref().map(|filter| filter as &dyn Select),
            rest,
        };
        let element = edit.materialise(value, sub_attributes)?;
        with_element(held.as_ref().map(JsonBuf::as_json), &element, edit.select)
    } else if rest.is_empty() {
        value.into()
    } else {
        let mut inner: Members = held
            .iter()
            .flat_map(|held| held.as_json().members())
            .map(|(name, value)| (name.into_owned(), value.into()))
            .collect();
        let below = rest.iter().fold(AttrPath::ROOT, |path, step| path.push(*step));
        put(&mut inner, sub_attributes, below, target, value)?;
        object(&inner)
    };
    members.push((attribute.name.to_owned(), new));
    Ok(())
}

/// Returns a list with one more element; with the element that has the same labels completed, if there is one.
fn with_element(list: Option<Json<'_>>, new: &JsonBuf, select: Option<&dyn Select>) -> JsonBuf {
    let labels = select.and_then(Select::template).unwrap_or_default();
    let is_same = |element: Json<'_>| {
        !labels.is_empty()
            && new.as_json().members().all(|(name, said)| {
                let is_label = labels.iter().any(|(_, label)| label.text() == said.text());
                !is_label || element.get(&name).is_some_and(|held| held.text() == said.text())
            })
    };
    let mut elements: Vec<JsonBuf> = list
        .filter(|list| list.is_array())
        .into_iter()
        .flat_map(Json::elements)
        .map(JsonBuf::from)
        .collect();
    match elements.iter_mut().find(|element| is_same(element.as_json())) {
        Some(element) => *element = merged(element.as_json(), new.as_json()),
        None => elements.push(new.clone()),
    }
    JsonBuf::array(elements.iter().map(JsonBuf::as_json))
}

/// Merges two objects into one; what the second says wins.
fn merged(first: Json<'_>, second: Json<'_>) -> JsonBuf {
    let kept = first.members().filter(|(name, _)| second.get(name).is_none());
    JsonBuf::object(kept.chain(second.members()))
}

fn object(members: &[(String, JsonBuf)]) -> JsonBuf {
    JsonBuf::object(members.iter().map(|(name, value)| (name, value.as_json())))
}

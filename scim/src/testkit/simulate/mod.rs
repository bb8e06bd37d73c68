//! Identity providers, simulated: the quickest proof that a server works with Okta, Entra and the others is those
//! clients themselves.
//!
//! A [`Simulation`] tells a story about an organization, provisions it as the provider of a [`Dialect`] would, request
//! by request, looks at the answers as the provider would, and compares at the end everything the server holds with
//! what it must hold. Nothing is random but by a seed, and no time passes but in the simulation.
//!
//! ```
//! use scim::testkit::simulate::{Dialect, Misbehaviour, Script, Simulation, Transport};
//!
//! async fn works_with_entra(server: &mut impl Transport) {
//!     let script = Script::seeded(7).people(300).groups(30).changes(1_000);
//!     let report = Simulation::new(Dialect::Entra, script)
//!         .over(Misbehaviour::rough())
//!         .run(server)
//!         .await;
//!     assert!(report.is_success(), "{report}");
//! }
//! ```

mod abreast;
mod authentik;
mod changes;
mod console;
mod directory;
mod entra;
mod flatten;
mod job;
mod jumpcloud;
mod ledger;
mod network;
mod okta;
mod onelogin;
mod provider;
mod random;
mod report;
mod report_text;
mod run;
mod scim_sdk;
mod script;
mod transport;
mod verify;

use std::fmt::{self, Display, Formatter};
use std::slice;
use std::str::FromStr;

use authentik::Authentik;
use entra::Entra;
use jumpcloud::JumpCloud;
use okta::Okta;
use onelogin::OneLogin;
use scim_sdk::ScimSdk;

pub use network::{Misbehaviour, NetworkCounts};
pub use report::{Fault, Health, Report, Tally, Timing};
pub use script::Script;
pub use transport::{NoAnswer, Request, Response, Through, Transport};

/// A provider, and how it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Okta, an application made in the wizard: everything by PUT.
    Okta,
    /// Okta, an application of the integration network: activation and groups by PATCH.
    OktaOin,
    /// Entra ID with the default mapping and its own idea of PATCH.
    Entra,
    /// Entra ID with `aadOptscim062020` in the tenant URL.
    EntraCompliant,
    /// Entra ID with `AzureAdScimPatch2017` in the tenant URL: every value of a PATCH in a list of objects.
    EntraPatch2017,
    /// Entra ID with a mapping of userName and the two names alone; whoever leaves is deleted.
    EntraThreeAttributes,
    /// JumpCloud, custom SCIM application.
    JumpCloud,
    /// OneLogin.
    OneLogin,
    /// authentik.
    Authentik,
    /// A client made with SCIM-SDK, as the plugins of Keycloak are: simple values of a PATCH in a list of one.
    ScimSdk,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 10] = [
        Self::Okta,
        Self::OktaOin,
        Self::Entra,
        Self::EntraCompliant,
        Self::EntraPatch2017,
        Self::EntraThreeAttributes,
        Self::JumpCloud,
        Self::OneLogin,
        Self::Authentik,
        Self::ScimSdk,
    ];

    /// Returns the name on a command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::OktaOin => "okta-oin",
            Self::Entra => "entra",
            Self::EntraCompliant => "entra-compliant",
            Self::EntraPatch2017 => "entra-patch2017",
            Self::EntraThreeAttributes => "entra-three-attributes",
            Self::JumpCloud => "jumpcloud",
            Self::OneLogin => "onelogin",
            Self::Authentik => "authentik",
            Self::ScimSdk => "scim-sdk",
        }
    }
}

impl Display for Dialect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::as_str).join(", ");
                format!("{text:?} is no dialect; there are {names}")
            })
    }
}

/// How far a simulation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps that are done: people and groups of the initial cycle, then changes.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
    /// Requests so far.
    pub requests: u64,
}

/// A provider, an organization and a network, ready to run.
pub struct Simulation {
    dialect: Dialect,
    script: Script,
    network: Misbehaviour,
    kept: Option<Vec<String>>,
    begins_anew: bool,
    observer: Option<Observer>,
}

type Observer = Box<dyn FnMut(Progress) + Send>;

impl Simulation {
    /// Simulates a provider with a reliable network.
    #[must_use]
    pub fn new(dialect: Dialect, script: Script) -> Self {
        Self {
            dialect,
            script,
            network: Misbehaviour::none(),
            kept: None,
            begins_anew: false,
            observer: None,
        }
    }

    /// Has the simulation run over another network.
    #[must_use]
    pub fn over(mut self, network: Misbehaviour) -> Self {
        self.network = network;
        self
    }

    /// Says that the server keeps these attributes only, by names such as `userName`, `name.givenName` or
    /// `emails[work].value`: nothing else is compared.
    #[must_use]
    pub fn keeping<N: Into<String>>(mut self, attributes: impl IntoIterator<Item = N>) -> Self {
        self.kept = Some(attributes.into_iter().map(Into::into).collect());
        self
    }

    /// Says that an administrator has the provider start over at the end, as after the restore of a backup:
    /// nothing that the provider knows to be on the server counts any more, and it goes over everybody and every group
    /// again.
    #[must_use]
    pub fn beginning_anew(mut self) -> Self {
        self.begins_anew = true;
        self
    }

    /// Sets an observer, who is told how far the simulation has come.
    #[must_use]
    pub fn observed_by(mut self, observer: impl FnMut(Progress) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Runs the whole story.
    ///
    /// The provider's tenancy of the server should be empty; what is there already is left alone and not compared.
    pub async fn run<T: Transport>(self, transport: &mut T) -> Report {
        self.run_abreast(slice::from_mut(transport)).await
    }

    /// Runs over several connections at once: the initial cycle provisions as many people at a time, and then as
    /// many groups, as providers do. Whatever is sent for each of them is the same over any number of connections; what
    /// happens after the initial cycle is sent over the first.
    ///
    /// ```
    /// use scim::client::Exchange;
    /// use scim::testkit::simulate::{Dialect, Report, Script, Simulation, Through};
    ///
    /// async fn load(service: impl Exchange, base: &str) -> Report {
    ///     let script = Script::seeded(1).people(100_000).groups(1_000).members(500).changes(0);
    ///     let mut connections = vec![Through::new(service, base); 16];
    ///     Simulation::new(Dialect::Entra, script).run_abreast(&mut connections).await
    /// }
    /// ```
    pub async fn run_abreast<T: Transport>(self, connections: &mut [T]) -> Report {
        match self.dialect {
            Dialect::Okta => self.drive(Okta::custom(), connections).await,
            Dialect::OktaOin => self.drive(Okta::of_the_network(), connections).await,
            Dialect::Entra => self.drive(Entra::by_default(), connections).await,
            Dialect::EntraCompliant => self.drive(Entra::compliant(), connections).await,
            Dialect::EntraPatch2017 => self.drive(Entra::of_2017(), connections).await,
            Dialect::EntraThreeAttributes => self.drive(Entra::three_attributes(), connections).await,
            Dialect::JumpCloud => self.drive(JumpCloud, connections).await,
            Dialect::OneLogin => self.drive(OneLogin, connections).await,
            Dialect::Authentik => self.drive(Authentik::default(), connections).await,
            Dialect::ScimSdk => self.drive(ScimSdk, connections).await,
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("dialect", &self.dialect)
            .field("script", &self.script)
            .field("network", &self.network)
            .field("kept", &self.kept)
            .field("begins_anew", &self.begins_anew)
            .finish_non_exhaustive()
    }
}

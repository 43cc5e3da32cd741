//! What the configuration says of exchange, checked and ready: partners, agreements, flows, requests.

use std::collections::BTreeMap;

use crate::base::limit::AGREEMENT_BYTES_MAX;
use crate::config::{Config, RequestForm, Tell};
use crate::exchange::agreement::Agreement;
use crate::exchange::flow::When;
use crate::exchange::message::PartnerLayout;
use crate::gateway::exchange::outlet::Outlet;
use crate::gateway::feed::library;
use crate::gateway::{Gateway, GatewayError};
use crate::mapping::diagnostic::Diagnostics;

/// Everything that may go to partners, and when.
#[derive(Default)]
pub struct Plan {
    /// The agreements, by name.
    pub agreements: BTreeMap<String, Agreement>,
    /// The flows, by name.
    pub flows: BTreeMap<String, Flow>,
    /// The requests, by name.
    pub requests: BTreeMap<String, Request>,
    /// Where messages go, by partner.
    pub outlets: BTreeMap<String, Outlet>,
    layouts: BTreeMap<String, PartnerLayout>,
    /// The agreements as their files had them, by name.
    written: BTreeMap<String, String>,
}

/// One flow.
pub struct Flow {
    /// On which occasion.
    pub when: When,
    /// Who is told.
    pub tell: Vec<Told>,
}

/// Who is told by a flow.
pub struct Told {
    /// The agreement.
    pub agreement: String,
    /// Its partner; nobody where there is no such agreement.
    pub partner: String,
    /// In whose layout.
    pub mapping: String,
}

/// One cohort request.
pub struct Request {
    /// The agreement.
    pub agreement: String,
    /// Its partner; nobody where there is no such agreement.
    pub partner: String,
    /// The study whose consent has to cover NHS linkage.
    pub study: String,
    /// In which form.
    pub form: RequestForm,
}

impl Plan {
    /// The plan of a configuration.
    ///
    /// # Errors
    /// Where an agreement, a mapping, a file of secrets or an occasion cannot be used.
    pub fn load(config: &Config) -> Result<Self, GatewayError> {
        let mut plan = Self::default();
        for (name, settings) in &config.agreement {
            let text = text(config, &settings.file)?;
            let agreement = agreement(config, name, &settings.file, &text)?;
            plan.written.insert(name.clone(), text);
            let place = format!("agreement.{name}");
            if !config.partner.contains_key(&agreement.partner) {
                let partner = &agreement.partner;
                let fault = format!(
                    "its partner is `{partner}`, and nothing says where messages for it go; add [partner.{partner}]"
                );
                return Err(GatewayError::Plan { place, fault });
            }
            if let Some(source) = agreement.sources.iter().find(|source| !config.source.contains_key(*source))
            {
                let fault = format!("it lists the source `{source}`, and there is no [source.{source}]");
                return Err(GatewayError::Plan { place, fault });
            }
            plan.agreements.insert(name.clone(), agreement);
        }
        for (name, settings) in &config.partner {
            plan.outlets.insert(name.clone(), Outlet::open(config, name, settings)?);
        }
        let library = library(config)?;
        for (name, settings) in &config.flow {
            let of = &settings.when;
            let fields = of.field.iter().map(|(name, words)| (name, words.list()));
            let when = When::parse(&of.kind, &of.event, fields).map_err(|fault| GatewayError::Plan {
                place: format!("flow.{name}.when"),
                fault: fault.to_string(),
            })?;
            for tell in &settings.tell {
                if !plan.layouts.contains_key(&tell.mapping) {
                    let mapping = library.mapping(&tell.mapping)?;
                    let layout = PartnerLayout::of(&mapping).ok_or_else(|| GatewayError::Plan {
                        place: format!("flow.{name}.tell"),
                        fault: format!(
                            "the mapping `{}` is only ever read; name one without `one_way = true`",
                            tell.mapping
                        ),
                    })?;
                    plan.layouts.insert(tell.mapping.clone(), layout);
                }
            }
            let tell = settings.tell.iter().map(|tell| plan.told(tell)).collect();
            plan.flows.insert(name.clone(), Flow { when, tell });
        }
        for (name, settings) in &config.request {
            let request = Request {
                agreement: settings.agreement.clone(),
                partner: plan.partner(&settings.agreement),
                study: settings.study.clone(),
                form: settings.form,
            };
            if !config.study.contains_key(&request.study) {
                let fault = format!("there is no [study.{}]", request.study);
                return Err(GatewayError::Plan { place: format!("request.{name}.study"), fault });
            }
            plan.requests.insert(name.clone(), request);
        }
        Ok(plan)
    }

    /// The same, for what writes its errors to a log: of what an agreement holds nothing is logged, and an
    /// entry of a log is one line.
    ///
    /// # Errors
    /// As [`load`](Self::load); of an agreement's faults, their places alone.
    pub fn load_unquoted(config: &Config) -> Result<Self, GatewayError> {
        Self::load(config).map_err(|error| match error {
            GatewayError::Agreement(Diagnostics(faults)) => GatewayError::Plan {
                place: faults
                    .iter()
                    .map(|fault| format!("{}:{}:{}", fault.file, fault.line, fault.column))
                    .collect::<Vec<_>>()
                    .join(", "),
                fault: "an agreement has faults here; `wayleave agreement check` says which".to_owned(),
            },
            other => other,
        })
    }

    fn told(&self, tell: &Tell) -> Told {
        Told {
            agreement: tell.agreement.clone(),
            partner: self.partner(&tell.agreement),
            mapping: tell.mapping.clone(),
        }
    }

    fn partner(&self, agreement: &str) -> String {
        self.agreements.get(agreement).map(|agreement| agreement.partner.clone()).unwrap_or_default()
    }

    /// The layout of a mapping that a flow names.
    #[must_use]
    pub fn layout(&self, mapping: &str) -> Option<&PartnerLayout> {
        self.layouts.get(mapping)
    }

    /// True where nothing is to be told to anybody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty() && self.requests.is_empty()
    }
}

/// The text of an agreement's file.
fn text(config: &Config, file: &str) -> Result<String, GatewayError> {
    let path = config.path(file);
    let unreadable = |source| GatewayError::File { path: path.clone(), source };
    if std::fs::metadata(&path).map_err(unreadable)?.len() > AGREEMENT_BYTES_MAX {
        return Err(GatewayError::TooLarge { path, bytes_max: AGREEMENT_BYTES_MAX });
    }
    std::fs::read_to_string(&path).map_err(unreadable)
}

/// The agreement of a file, whose name must be that of the configuration.
fn agreement(config: &Config, name: &str, file: &str, text: &str) -> Result<Agreement, GatewayError> {
    let path = config.path(file);
    let agreement = Agreement::parse(text, &path.display().to_string()).map_err(GatewayError::Agreement)?;
    if agreement.name != name {
        let fault = format!("{} calls itself `{}`; they must be one", path.display(), agreement.name);
        return Err(GatewayError::Plan { place: format!("agreement.{name}"), fault });
    }
    Ok(agreement)
}

/// A plan that goes with its files: what a process that runs for weeks holds.
pub struct LivePlan {
    config: Config,
    plan: Plan,
}

impl LivePlan {
    /// The plan of a configuration.
    ///
    /// # Errors
    /// As [`Plan::load_unquoted`].
    pub fn load(config: &Config) -> Result<Self, GatewayError> {
        Ok(Self { config: config.clone(), plan: Plan::load_unquoted(config)? })
    }

    /// The plan as it stands now: read again where the file of an agreement says something else than it
    /// did. Nothing goes under an agreement that has been ended or changed since.
    ///
    /// # Errors
    /// As [`Plan::load_unquoted`]; the next call tries again.
    pub fn now(&mut self) -> Result<&Plan, GatewayError> {
        if !self.is_as_written() {
            self.plan = Plan::load_unquoted(&self.config)?;
            tracing::info!("agreements have changed: what goes from now on goes under the new ones");
        }
        Ok(&self.plan)
    }

    /// A file that cannot be read says something else.
    fn is_as_written(&self) -> bool {
        self.config.agreement.iter().all(|(name, settings)| {
            text(&self.config, &settings.file).is_ok_and(|text| self.plan.written.get(name) == Some(&text))
        })
    }
}

impl Gateway {
    /// The gateway as the sender of messages to partners.
    #[must_use]
    pub fn as_exchange(&self) -> Self {
        Self { actor: "exchange".to_owned(), ..self.clone() }
    }
}

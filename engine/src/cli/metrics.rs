//! Answers metrics over HTTP, and says where.

use super::console;
use super::exit::Failure;
use crate::config::{Settings, keys};
use crate::drive::Control;
use crate::last_values::{Amounts, Following, Keeping, LastValues};
use crate::metrics::{Endpoint, EngineMetrics, Exposed, Served};
use crate::recovery::Notices;
use crate::run::Ready;
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// Answers at an address with what `of` shows, until the answer is dropped.
pub(super) fn serve(address: SocketAddr, of: Arc<dyn Exposed>) -> Result<Served, Failure> {
    let endpoint = Endpoint::bind(address).map_err(Failure::failed)?;
    console::say(format!("metrics   http://{}/metrics, /last, /healthz, /readyz", endpoint.address()));
    if endpoint.is_open_to_others() {
        console::warn("warning   whoever reaches this host can read the metrics: nobody is asked for a name there");
    }
    endpoint.serve(of).map_err(Failure::failed)
}

/// The metrics of a run, as long as it is not dropped.
pub(super) struct RunMetrics {
    values: LastValues,
    /// The journal that is followed; `None` if nothing is answered.
    dir: Option<PathBuf>,
    keeping: Keeping,
    following: Rc<Cell<Option<Following>>>,
    _served: Option<Served>,
}

impl RunMetrics {
    /// Answers where the settings say so, from before the journal is opened on: whoever asks then is told what is missing.
    pub(super) fn begin(settings: &Settings, dir: &Path, control: &Control) -> Result<RunMetrics, Failure> {
        let address = settings.metrics_address().map_err(|fault| Failure::usage(fault.to_string()))?;
        let values = LastValues::default();
        let shown = || Arc::new(EngineMetrics::new(settings, control.clone(), values.clone()));
        let served = address.map(|address| serve(address, shown())).transpose()?;
        let dir = served.is_some().then(|| dir.to_owned());
        let amounts = Amounts {
            trades: settings.metrics.get(keys::LAST_TRADES) as usize,
            bars: settings.metrics.get(keys::LAST_BARS) as usize,
        };
        let books = settings.metrics.get(keys::BOOKS).to_vec();
        let stale_ms = settings.metrics.get(keys::STALE_MS);
        let keeping = Keeping { amounts, books, stale_ms, feeds: control.feeds.clone() };
        Ok(RunMetrics { values, dir, keeping, following: Rc::default(), _served: served })
    }

    /// The last values; empty if nothing is answered.
    pub(super) fn values(&self) -> LastValues {
        self.values.clone()
    }

    /// Follows the journal, if anything is answered, once it exists and `first` has been done.
    pub(super) fn follow_after(&self, first: Ready) -> Ready {
        let (values, dir, following) = (self.values.clone(), self.dir.clone(), Rc::clone(&self.following));
        let keeping = self.keeping.clone();
        Box::new(move |plan| {
            first(plan)?;
            let followed = dir.map(|dir| values.follow(&dir, &keeping, Notices(console::warn))).transpose();
            following.set(followed.map_err(|e| e.to_string())?);
            Ok(())
        })
    }
}

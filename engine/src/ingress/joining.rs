//! Sources that join a run which has begun, and symbols that are watched or watched no more.
//!
//! The configuration says which inputs there are, and which symbols of them are watched. Inputs behind the ones that a
//! journal was started with have been added since, and the record says when: names with the settings of each, then one
//! command, and from there on its inputs. Likewise a change of the symbols. So a record is repeated without a configuration,
//! and a run that goes on after a stop or a kill opens what its configuration names, takes each source in where the record
//! says so, and refuses another one in its place. What the configuration has and the record has not comes right after the
//! record: it was changed while nothing ran, or the kill came before the command.
//!
//! A source is opened before it comes here, by whoever adds it; the head only moves it. Bound: sources are numbered without a
//! gap, and the numbers end below that of the operator; a record that says otherwise is refused.

use super::FeedStatuses;
use super::commands::{Asker, OperatorCommand, input_names, watched_names};
use super::source_queue::SourceQueue;
use super::watch::WatchList;
use super::{IngressError, wall_now};
use flow::records::{Command, Name};
use flow::{CommandAction, Event, Gateway, NameSpace, StateError, StateReader, StateWriter};
use std::collections::{BTreeMap, VecDeque};

/// Makes a stand-in for the source of that number, whose inputs all come from the record.
pub type StandIn = fn(u8) -> SourceQueue;

/// The sources that have yet to join, and what names have said of them.
#[derive(Default)]
pub(super) struct Joining {
    waiting: VecDeque<SourceQueue>,
    /// What joins if nothing waits.
    stand_in: Option<StandIn>,
    /// Settings of inputs, by number.
    settings: BTreeMap<u8, Vec<u8>>,
    /// Watch lists of inputs, by number.
    watched: BTreeMap<u8, Vec<u8>>,
    /// The settings of those that have joined.
    joined: Vec<String>,
    /// Where each one says how it stands.
    statuses: FeedStatuses,
}

/// The inputs by which `sources` join and other symbols of the sources with these numbers are watched, on behalf of `by`; none
/// if nothing changes.
pub fn reload(sources: &[SourceQueue], watched: &[(u8, &WatchList)], by: Asker) -> Vec<Event> {
    let mut events: Vec<Event> = sources.iter().flat_map(|source| input_names(source.text(), source.id())).collect();
    let chosen = sources.iter().map(|source| (source.id(), source.wanted())).filter(|(_, watched)| watched.is_some());
    for (number, watched) in chosen.chain(watched.iter().copied()) {
        events.extend(watched_names(&text_of(watched), number));
    }
    if !sources.is_empty() || !watched.is_empty() {
        let (target, new) = (sources.first().map_or(0, |first| first.id().into()), sources.len() as i64);
        events.push(OperatorCommand { target, new, ..OperatorCommand::plain(CommandAction::Reload, by) }.event());
    }
    events
}

/// The inputs by which an operator has other symbols of the source with this number watched.
pub fn watch(number: u8, watched: &WatchList, by: Asker) -> Vec<Event> {
    let command = OperatorCommand { target: number.into(), ..OperatorCommand::plain(CommandAction::Watch, by) };
    watched_names(&text_of(watched), number).into_iter().chain([command.event()]).collect()
}

/// A watch list as a text: what it is, and then a line for each symbol.
fn text_of(watched: &WatchList) -> String {
    let Some(symbols) = watched else { return "all".to_owned() };
    symbols.iter().fold("only".to_owned(), |text, symbol| text + "\n" + symbol)
}

/// The watch list of a text that [`text_of`] gives.
fn watch_list(text: &str) -> WatchList {
    let mut lines = text.split('\n');
    (lines.next() == Some("only")).then(|| lines.map(str::to_owned).collect())
}

impl Joining {
    pub(super) fn wait(&mut self, sources: impl IntoIterator<Item = SourceQueue>) {
        self.waiting.extend(sources);
    }

    /// Publishes how those that join stand.
    pub(super) fn publish(&mut self, statuses: FeedStatuses) {
        self.statuses = statuses;
    }

    pub(super) fn stand_in(&mut self, by: StandIn) {
        self.stand_in = Some(by);
    }

    /// The inputs by which the run comes to be what the configuration says, after the record.
    pub(super) fn announced(&mut self, feeds: &[SourceQueue]) -> Vec<Event> {
        let by = Asker { asked_ts: wall_now(), ..Asker::ENGINE };
        let other = feeds.iter().filter(|feed| feed.is_reconfigured());
        let other: Vec<_> = other.map(|feed| (feed.id(), feed.wanted())).collect();
        reload(self.waiting.make_contiguous(), &other, by)
    }

    /// Takes an input of an operator: the settings of a source, symbols, or the command by which sources join `feeds`.
    ///
    /// # Errors
    /// When what joins is not what the record says.
    pub(super) fn take(&mut self, event: &Event, feeds: &mut Vec<SourceQueue>) -> Result<(), IngressError> {
        if let Some(name) = event.get::<Name>() {
            let texts = match NameSpace::from_code(name.space) {
                Some(NameSpace::Input) => &mut self.settings,
                Some(NameSpace::WatchList) => &mut self.watched,
                _ => return Ok(()),
            };
            let text = texts.entry(name.handle as u8).or_default();
            // The lowest byte is the number of the input; above it is that of the page.
            if name.part == 0 && name.handle <= u64::from(u8::MAX) {
                text.clear();
            }
            text.extend_from_slice(piece(name));
        }
        let Some(command) = event.get::<Command>() else { return Ok(()) };
        match CommandAction::from_code(command.action) {
            Some(CommandAction::Reload) => {}
            Some(CommandAction::Watch) => {
                self.watch(feeds);
                return Ok(());
            }
            _ => return Ok(()),
        }
        let (mut settings, watched) = (std::mem::take(&mut self.settings), std::mem::take(&mut self.watched));
        let before = feeds.len();
        for number in numbers(command, before).map_err(IngressError::Refused)? {
            let recorded = String::from_utf8_lossy(&settings.remove(&number).unwrap_or_default()).into_owned();
            feeds.push(self.next(recorded, number).map_err(IngressError::Refused)?);
        }
        for (number, text) in watched {
            let (at, watched) = (usize::from(number).wrapping_sub(1), watch_list(&String::from_utf8_lossy(&text)));
            match feeds.get_mut(at) {
                Some(feed) if at < before => feed.watch_configured(watched),
                Some(feed) => feed.begin_watching(watched),
                None => {}
            }
        }
        Ok(())
    }

    /// An operator has other symbols watched.
    fn watch(&mut self, feeds: &mut [SourceQueue]) {
        for (number, text) in std::mem::take(&mut self.watched) {
            if let Some(feed) = feeds.get_mut(usize::from(number).wrapping_sub(1)) {
                feed.watch(watch_list(&String::from_utf8_lossy(&text)));
            }
        }
    }

    /// The source that joins as `number`, with the settings that the record has.
    fn next(&mut self, recorded: String, number: u8) -> Result<SourceQueue, String> {
        const NEXT: &str = "put it back, or start a new journal with --carry-over";
        let source = self.waiting.pop_front();
        let is_recorded = |source: &SourceQueue| {
            let names = input_names(source.text(), number);
            names.iter().flat_map(|name| piece(name.record())).eq(recorded.as_bytes())
        };
        let source = match (source, self.stand_in) {
            (Some(source), _) if is_recorded(&source) => source,
            (None, Some(stand_in)) => stand_in(number),
            (found, _) => {
                let now = if found.is_some() { "another one" } else { "none" };
                let was = recorded.trim_end().replace('\n', ", ");
                return Err(format!(
                    "input[{number}] was added while it ran ({was}), and the configuration has {now}: {NEXT}"
                ));
            }
        };
        self.joined.push(recorded);
        self.statuses.add(source.status());
        Ok(source)
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&self.joined);
        to.put(&(self.settings.iter().collect::<Vec<_>>(), self.watched.iter().collect::<Vec<_>>()));
    }

    /// Restores what [`Joining::save`] wrote, and lets those join `feeds` that had joined.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>, feeds: &mut Vec<SourceQueue>) -> Result<(), StateError> {
        for recorded in from.get::<Vec<String>>()? {
            let number = u8::try_from(feeds.len() + 1).ok().filter(|number| *number < Gateway::LEAST_SOURCE);
            let number = number.ok_or(StateError::Inconsistent("more sources than there can be"))?;
            feeds.push(self.next(recorded, number).map_err(StateError::Elsewhere)?);
        }
        let (settings, watched) = from.get::<(Vec<(u8, Vec<u8>)>, Vec<(u8, Vec<u8>)>)>()?;
        (self.settings, self.watched) = (settings.into_iter().collect(), watched.into_iter().collect());
        Ok(())
    }
}

/// The numbers of the sources that join with a command, behind `before` that are there.
fn numbers(command: &Command, before: usize) -> Result<impl Iterator<Item = u8> + use<>, String> {
    let (first, count) = (u64::from(command.target), command.new.cast_unsigned());
    let follow = count == 0 || first == before as u64 + 1;
    if !follow || first.saturating_add(count) > Gateway::LEAST_SOURCE.into() {
        return Err(format!(
            "the record adds {count} inputs from number {first} on, behind {before}: its journal is damaged; `tidegate \
             journal verify` says where"
        ));
    }
    Ok((first as u8..).take(count as usize))
}

fn piece(name: &Name) -> &[u8] {
    &name.text[..usize::from(name.len).min(name.text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Count, FeedError, Inputs, Listings, Polled, Source};

    struct Nothing;

    impl Source for Nothing {
        fn poll(&mut self, _: &mut Inputs) -> Result<Polled, FeedError> {
            Ok(Polled::Ended)
        }
        fn instruments(&self) -> u32 {
            0
        }
        fn counts(&self) -> Vec<Count> {
            Vec::new()
        }
    }

    fn source(number: u8, text: &str) -> SourceQueue {
        SourceQueue::new(format!("s{number}"), Box::new(Nothing), number).with_text(text.to_owned())
    }

    fn taken(joining: &mut Joining, events: &[Event], feeds: &mut Vec<SourceQueue>) -> Result<(), String> {
        events.iter().try_for_each(|event| joining.take(event, feeds)).map_err(|e| e.to_string())
    }

    /// A kill between the names and their command leaves names that say nothing.
    #[test]
    fn a_source_joins_with_the_command_and_not_with_its_names() {
        let long = "files = [\"a/long/path/of/a/file.itch\"]\n".repeat(300);
        let own = || [source(2, "feed = \"a\"\n"), source(3, &long)];
        let events = reload(&own(), &[], Asker::ENGINE);
        for cut in 0..events.len() {
            let (mut begun, mut feeds) = (Joining::default(), vec![source(1, "")]);
            begun.wait(own());
            taken(&mut begun, &events[..cut], &mut feeds).unwrap();
            assert_eq!((feeds.len(), begun.waiting.len()), (1, 2));
            // A snapshot here knows as much.
            let (listings, mut again) = (Listings::default(), Joining::default());
            let mut state = StateWriter::new(&listings);
            begun.save(&mut state);
            let bytes = state.into_bytes();
            again.load(&mut StateReader::new(&listings, &bytes), &mut feeds).unwrap();
            again.wait(own());
            let rest = if cut % 2 == 0 { &events[cut..] } else { &again.announced(&[]) };
            taken(&mut again, rest, &mut feeds).unwrap();
            assert_eq!(feeds.iter().map(SourceQueue::id).collect::<Vec<_>>(), [1, 2, 3]);
            assert!(again.announced(&[]).is_empty());
        }
    }

    #[test]
    fn sources_join_without_a_gap_and_below_the_gateways() {
        let joins = |target: u32, new: i64| {
            let (mut begun, mut feeds) = (Joining::default(), vec![source(1, "")]);
            begun.stand_in(|number| source(number, ""));
            let plain = OperatorCommand::plain(CommandAction::Reload, Asker::ENGINE);
            let command = OperatorCommand { target, new, ..plain }.event();
            taken(&mut begun, &[command], &mut feeds).map(|()| feeds.len())
        };
        let most = i64::from(Gateway::LEAST_SOURCE) - 2;
        assert_eq!((joins(2, 1), joins(0, 0), joins(2, most)), (Ok(2), Ok(1), Ok(1 + most as usize)));
        for (target, new) in [(1, 1), (3, 1), (2, most + 1), (2, -1), (2, i64::MAX), (258, 1), (u32::MAX, 1)] {
            assert!(joins(target, new).unwrap_err().contains("its journal is damaged"), "{target} {new}");
        }
    }

    #[test]
    fn what_is_not_what_the_record_says_does_not_join() {
        let events = reload(&[source(2, "feed = \"a\"\n")], &[], Asker::ENGINE);
        let refused = |now: Option<&str>| {
            let mut begun = Joining::default();
            begun.wait(now.map(|text| source(2, text)));
            taken(&mut begun, &events, &mut vec![source(1, "")]).unwrap_err()
        };
        assert!(
            refused(None).contains("input[2] was added while it ran (feed = \"a\"), and the configuration has none")
        );
        assert!(refused(Some("feed = \"a\"\nx = 1\n")).contains("another one"), "more than it was is another one");
        assert!(refused(Some("")).contains("another one"));
    }
}

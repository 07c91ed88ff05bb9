//! What can be said to `quorate sync`.

use quorate::Prefix;

const AFTER_HELP: &str = "\
Examples: quorate sync sqlite:state.db zk://h1,h2,h3 /agents --once
          quorate sync zk://old zk://new/prod / --delete --dry-run

Both sides are compared and only the difference is written, so an interrupted run is simply \
started again. Then both are watched until Ctrl-C: what changes in FROM_URL follows, and what \
somebody else changes in TO_URL is set right. Nothing is written while FROM_URL is out of reach.

Never copied, and never touched in TO_URL: what is under a lease, as listeners and locks are. \
Times to live are not copied. A key that TO_URL does not take (a value too large, a key above or \
below others) is said, and the rest goes on.

Standard output has the keys that are written or deleted, if asked for:
  + KEY   it is new
  ~ KEY   it has another value
  - KEY   it is deleted
With --json it has lines of the types put and delete instead, if asked for, and always progress, \
in_sync, status and refused; these are words on standard error otherwise.

Exit codes:
  0    done: --once, --dry-run
  1    a key was refused, or a store failed
  2    usage: bad key, bad URL, one store and places in it that overlap
  5    a store was not reached within --timeout, or with --once lost for so long
  130  interrupted";

/// Keeps what is below PREFIX in one store equal to that in another
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SyncArgs {
    /// The store to copy from
    #[arg(value_name = "FROM_URL")]
    pub(crate) source: String,
    /// The store to copy to
    #[arg(value_name = "TO_URL")]
    pub(crate) target: String,
    /// What is copied: all keys below this one; / for all
    #[arg(value_parser = Prefix::parse)]
    pub(crate) prefix: Prefix,
    /// Where in TO_URL it is copied to [default: PREFIX]
    #[arg(long, value_name = "PREFIX", value_parser = Prefix::parse)]
    pub(crate) to: Option<Prefix>,
    /// Deletes what only TO_URL has below the prefix; a FROM_URL that is empty then empties it
    #[arg(long)]
    pub(crate) delete: bool,
    /// Prints what would be written and deleted, changes nothing, and ends
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Ends as soon as both are equal
    #[arg(long)]
    pub(crate) once: bool,
    /// Prints each key that is written or deleted
    #[arg(short, long)]
    pub(crate) itemize: bool,
    /// Prints JSON lines
    #[arg(long)]
    pub(crate) json: bool,
}

impl SyncArgs {
    /// Whether it prints lines for as long as it runs.
    pub(crate) const fn prints_on(&self) -> bool {
        (self.json || self.itemize) && !self.once
    }
}

//! Changing the members of an ensemble.

use crate::record::record;

record! {
    /// Changes the members of the ensemble: either by who joins and who leaves, or by a whole new list.
    ///
    /// Answered with the new configuration as data, as it then stands in `/zookeeper/config`. Servers refuse
    /// it unless reconfiguration is switched on there.
    pub struct Reconfig {
        /// Servers that join or change, as `server.3=host:2888:3888;2181` separated by commas.
        pub joining: Option<String>,
        /// Ids of the servers that leave, separated by commas.
        pub leaving: Option<String>,
        /// All members, one a line or separated by commas; excludes the two above.
        pub new_members: Option<String>,
        /// The configuration that this change starts from, or -1 for whichever it is.
        pub from_config: i64,
    }
}

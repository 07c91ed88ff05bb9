//! An index: the nodes of a follower, found by something other than their key.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rpds::RedBlackTreeMapSync;

use super::core::{Core, Handle};
use super::mirrors::Mirror;
use super::view::{Held, View};
use crate::Key;

/// The nodes of a follower, found by something other than their key: made by
/// [`Nodes::index_by`](super::Nodes::index_by).
///
/// It is kept in step with the nodes, and read as they are: whoever was told of a change finds it. The follower goes on
/// as long as one of its handles is there, and this is one.
pub struct Index<I: Ord, V> {
    tree: Arc<Tree<I, V>>,
    _handle: Arc<Handle<V>>,
}

/// The nodes under one key of an index.
type Found<V> = RedBlackTreeMapSync<Key, Arc<V>>;

/// Gives the keys of an index under which a node is found.
type By<I, V> = Box<dyn Fn(&V, &mut dyn FnMut(I)) + Send + Sync>;

struct Tree<I: Ord, V> {
    by: By<I, V>,
    found: ArcSwap<RedBlackTreeMapSync<I, Found<V>>>,
}

impl<I: Ord + Send + Sync + 'static, V: Send + Sync + 'static> Index<I, V> {
    pub(super) fn new(
        handle: &Arc<Handle<V>>,
        by: impl Fn(&V, &mut dyn FnMut(I)) + Send + Sync + 'static,
    ) -> Self {
        let core: &Core<V> = &handle.core;
        let tree = core.add_mirror(|view: &View<V>| {
            let empty = ArcSwap::from_pointee(RedBlackTreeMapSync::new_sync());
            let tree = Tree { by: Box::new(by), found: empty };
            tree.update(&mut view.nodes.iter().map(|(key, held)| (key, None, Some(held))));
            Arc::new(tree)
        });
        Self { tree, _handle: Arc::clone(handle) }
    }
}

impl<I: Ord, V> Index<I, V> {
    /// The nodes under one key of the index, in the order of their own keys.
    #[must_use]
    pub fn get(&self, by: &I) -> Vec<(Key, Arc<V>)> {
        let found = self.tree.found.load();
        let nodes = found.get(by).into_iter().flat_map(RedBlackTreeMapSync::iter);
        nodes.map(|(key, value)| (key.clone(), Arc::clone(value))).collect()
    }

    /// The node under one key of the index, or the first of several.
    #[must_use]
    pub fn first(&self, by: &I) -> Option<(Key, Arc<V>)> {
        let found = self.tree.found.load();
        let (key, value) = found.get(by)?.first()?;
        Some((key.clone(), Arc::clone(value)))
    }

    /// How many keys the index has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tree.found.load().size()
    }

    /// Whether the index has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<I: Ord + Send + Sync, V: Send + Sync> Mirror<V> for Tree<I, V> {
    fn update(&self, changes: &mut dyn Iterator<Item = (&Key, Option<&Held<V>>, Option<&Held<V>>)>) {
        // The inner maps are replaced, so they are taken out and put back: a copy of the pointers is all it costs.
        let mut found = RedBlackTreeMapSync::clone(&self.found.load());
        for (key, was, is) in changes {
            if let Some(was) = was {
                (self.by)(&was.value, &mut |by| {
                    let mut nodes = found.get(&by).map_or_else(RedBlackTreeMapSync::new_sync, Clone::clone);
                    nodes.remove_mut(key);
                    if nodes.is_empty() {
                        found.remove_mut(&by);
                    } else {
                        found.insert_mut(by, nodes);
                    }
                });
            }
            if let Some(is) = is {
                (self.by)(&is.value, &mut |by| {
                    let mut nodes = found.get(&by).map_or_else(RedBlackTreeMapSync::new_sync, Clone::clone);
                    nodes.insert_mut(key.clone(), Arc::clone(&is.value));
                    found.insert_mut(by, nodes);
                });
            }
        }
        self.found.store(Arc::new(found));
    }
}

impl<I: Ord, V> Clone for Index<I, V> {
    fn clone(&self) -> Self {
        Self { tree: Arc::clone(&self.tree), _handle: Arc::clone(&self._handle) }
    }
}

impl<I: Ord, V> fmt::Debug for Index<I, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("len", &self.len()).finish_non_exhaustive()
    }
}

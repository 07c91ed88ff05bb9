//! What is done over and over, by whichever client.

use std::future::Future;

use futures_util::future::Either;

use crate::{
    clients::{Client, Multi},
    works::{BIG, BIG_PATH, MULTI_OPS, SMALL, SMALL_PATH, multi_path, pair_path},
};

/// Operations one after the other in each of several slots.
pub(crate) trait Load: Send + Sync + 'static {
    /// See [`Client::IS_LAZY`].
    const IS_LAZY: bool;

    /// One request and its reply. `turn` counts those of the slot.
    fn request(&self, slot: usize, turn: usize) -> impl Future<Output = ()> + Send;
}

/// Reads one znode.
pub(crate) struct Get<C: Client> {
    client: C,
    path: C::Path,
    len: usize,
}

impl<C: Client> Get<C> {
    pub(crate) fn small(client: C) -> Self {
        Self { client, path: C::path(SMALL_PATH), len: SMALL.len() }
    }

    pub(crate) fn big(client: C) -> Self {
        Self { client, path: C::path(BIG_PATH), len: BIG.len() }
    }
}

impl<C: Client> Load for Get<C> {
    const IS_LAZY: bool = C::IS_LAZY;

    fn request(&self, _slot: usize, _turn: usize) -> impl Future<Output = ()> + Send {
        let get = self.client.get(&self.path);
        let expected = self.len;
        async move { assert_eq!(get.await, expected) }
    }
}

/// Sets one znode.
pub(crate) struct Set<C: Client> {
    client: C,
    path: C::Path,
}

impl<C: Client> Set<C> {
    pub(crate) fn new(client: C) -> Self {
        Self { client, path: C::path(SMALL_PATH) }
    }
}

impl<C: Client> Load for Set<C> {
    const IS_LAZY: bool = C::IS_LAZY;

    fn request(&self, _slot: usize, _turn: usize) -> impl Future<Output = ()> + Send {
        self.client.set(&self.path, &SMALL)
    }
}

/// Creates the slot's own znode, then deletes it, and so on.
pub(crate) struct CreateDelete<C: Client> {
    client: C,
    paths: Vec<C::Path>,
}

impl<C: Client> CreateDelete<C> {
    pub(crate) fn new(client: C, slots: usize) -> Self {
        Self { client, paths: (0..slots).map(|slot| C::path(&pair_path(slot))).collect() }
    }
}

impl<C: Client> Load for CreateDelete<C> {
    const IS_LAZY: bool = C::IS_LAZY;

    fn request(&self, slot: usize, turn: usize) -> impl Future<Output = ()> + Send {
        let path = &self.paths[slot];
        if turn.is_multiple_of(2) {
            Either::Left(self.client.create(path, &SMALL))
        } else {
            Either::Right(self.client.delete(path))
        }
    }
}

/// Sets many znodes at once.
pub(crate) struct MultiSet<C: Multi> {
    client: C,
    paths: Vec<C::Path>,
}

impl<C: Multi> MultiSet<C> {
    pub(crate) fn new(client: C) -> Self {
        Self { client, paths: (0..MULTI_OPS).map(|op| C::path(&multi_path(op))).collect() }
    }
}

impl<C: Multi> Load for MultiSet<C> {
    const IS_LAZY: bool = C::IS_LAZY;

    fn request(&self, _slot: usize, _turn: usize) -> impl Future<Output = ()> + Send {
        let multi = self.client.multi(&self.paths, &SMALL);
        async move { assert_eq!(multi.await, MULTI_OPS) }
    }
}

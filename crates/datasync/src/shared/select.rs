//! Selections: one part of a shared struct, and what becomes of it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde_json::Value;

use super::diff::Pointer;
use super::snapshot::{Data, SharedEvent, Snapshot};
use super::subscribers::Queue;
use crate::Revision;

/// What a selection tells: that its part was one thing and is another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selected<F> {
    /// The revision at which the part became what it is; of the first item, that of the struct.
    pub revision: Revision,
    /// The part as it was told before; `None` if it was not there. Of the first item always `None`.
    pub old: Option<F>,
    /// The part now; `None` if it is not there, or the struct was deleted.
    pub new: Option<F>,
}

/// One field of a shared struct: a [`Stream`] of [`Selected`], made by [`Shared::select`](crate::Shared::select).
///
/// The first item says what the field is, each after it that it is something else; what changes elsewhere in the
/// struct is never told. A selection that falls behind by more than its queue holds is told the net change. The
/// stream ends when the last handle of the struct is dropped or the store is closed; dropping it unsubscribes.
#[must_use = "streams do nothing unless polled"]
pub struct Select<T, F, P> {
    queue: Arc<Queue<T>>,
    project: P,
    part: Part<T, F>,
}

/// One place in the document of a shared struct: a [`Stream`] of [`Selected`], made by
/// [`Shared::select_by`](crate::Shared::select_by).
///
/// As [`Select`], with this difference: it is not woken by changes elsewhere in the document, and it sees fields
/// that the struct's type does not know.
#[must_use = "streams do nothing unless polled"]
pub struct SelectBy<T> {
    queue: Arc<Queue<T>>,
    pointer: Pointer,
    part: Part<T, Value>,
}

/// What a selection starts from.
pub(crate) type Start<T> = (Revision, Option<Snapshot<T>>);

/// What was told of the part.
struct Part<T, F> {
    first: Option<Start<T>>,
    last: Option<F>,
}

impl<T, F> Part<T, F> {
    const fn new(first: Start<T>) -> Self {
        Self { first: Some(first), last: None }
    }

    /// The next item: the part as the first snapshot has it, then each that differs.
    fn poll(
        &mut self,
        queue: &Queue<T>,
        cx: &mut Context<'_>,
        find: impl Fn(&Snapshot<T>) -> Option<&F>,
    ) -> Poll<Option<Selected<F>>>
    where
        F: Clone + PartialEq,
    {
        if let Some((revision, snapshot)) = self.first.take() {
            let new = snapshot.as_ref().and_then(&find).cloned();
            self.last.clone_from(&new);
            return Poll::Ready(Some(Selected { revision, old: None, new }));
        }
        loop {
            let set = match ready!(queue.poll(cx)) {
                Some(SharedEvent::Changed(set)) => set,
                Some(SharedEvent::Rejected(_)) => continue,
                None => return Poll::Ready(None),
            };
            let new = set.current.as_ref().and_then(&find);
            if new != self.last.as_ref() {
                let old = std::mem::replace(&mut self.last, new.cloned());
                return Poll::Ready(Some(Selected { revision: set.revision, old, new: new.cloned() }));
            }
        }
    }
}

impl<T, F, P> Select<T, F, P> {
    pub(crate) const fn new(queue: Arc<Queue<T>>, first: Start<T>, project: P) -> Self {
        Self { queue, project, part: Part::new(first) }
    }
}

impl<T> SelectBy<T> {
    pub(crate) const fn new(queue: Arc<Queue<T>>, first: Start<T>, pointer: Pointer) -> Self {
        Self { queue, pointer, part: Part::new(first) }
    }
}

impl<T> Data<T> {
    /// What a selection starts from now.
    pub(crate) fn start(&self) -> Start<T> {
        let snapshot = self.compared().cloned();
        let revision = match (&snapshot, self) {
            (Some(snapshot), _) => snapshot.revision,
            (None, Self::Deleted { revision, .. }) => *revision,
            (None, Self::Rejected { rejected, .. }) => rejected.revision,
            (None, Self::Waiting | Self::Present(_)) => Revision::ZERO,
        };
        (revision, snapshot)
    }
}

impl<T, F, P> Stream for Select<T, F, P>
where
    F: Clone + PartialEq + Unpin,
    P: Fn(&T) -> &F + Unpin,
{
    type Item = Selected<F>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Selected<F>>> {
        let this = &mut *self;
        this.part.poll(&this.queue, cx, |snapshot| Some((this.project)(&snapshot.value)))
    }
}

impl<T> Stream for SelectBy<T> {
    type Item = Selected<Value>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Selected<Value>>> {
        let this = &mut *self;
        this.part.poll(&this.queue, cx, |snapshot| this.pointer.resolve(&snapshot.document))
    }
}

impl<T, F, P> fmt::Debug for Select<T, F, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SelectBy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectBy").field("pointer", &self.pointer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use futures_util::{FutureExt, StreamExt};

    use super::super::diff::count;
    use crate::{Memory, Shared, Store};

    use super::*;

    const MANY: usize = 1_000;

    type Fields = BTreeMap<String, u64>;

    /// Counts how often somebody is woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn fields() -> (Arc<dyn Store>, Shared<Fields>) {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let fields = (0..MANY).map(|at| (format!("f{at}"), 0)).collect();
        let shared = Shared::open(&store, "/fields").create(fields).await.expect("memory does not fail");
        (store, shared)
    }

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).expect("a test's pointer is one")
    }

    /// Polls once, and tells `waker` of what follows.
    fn poll<S: Stream + Unpin>(stream: &mut S, waker: &Waker) -> Option<S::Item> {
        match stream.poll_next_unpin(&mut Context::from_waker(waker)) {
            Poll::Ready(item) => item,
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_thousand_selections_cost_one_diff_for_each_revision() {
        let (_store, shared) = fields().await;
        let mut typed: Vec<_> =
            (0..MANY).map(|at| shared.select(move |fields: &Fields| &fields[&format!("f{at}")])).collect();
        let mut by_pointer: Vec<_> =
            (0..MANY).map(|at| shared.select_by(pointer(&format!("/f{at}")))).collect();
        for selection in &mut typed {
            assert_eq!(selection.next().await.unwrap().new, Some(0));
        }
        for selection in &mut by_pointer {
            assert_eq!(selection.next().await.unwrap().new, Some(Value::from(0)));
        }
        let before = count::diffs();
        for round in 1..=10 {
            shared.update(|fields| fields.insert("f7".into(), round)).await.unwrap();
        }
        assert_eq!(count::diffs() - before, 10);
        for round in 1..=10 {
            assert_eq!(typed[7].next().await.unwrap().new, Some(round));
            assert_eq!(by_pointer[7].next().await.unwrap().new, Some(Value::from(round)));
        }
        assert!(typed[6].next().now_or_never().is_none() && by_pointer[6].next().now_or_never().is_none());
        assert_eq!(count::diffs() - before, 10);
    }

    #[tokio::test]
    async fn a_selection_by_pointer_that_is_not_touched_is_not_woken() {
        let (_store, shared) = fields().await;
        let wakes: Vec<_> = (0..MANY).map(|_| Arc::new(Wakes::default())).collect();
        let mut selections: Vec<_> =
            (0..MANY).map(|at| shared.select_by(pointer(&format!("/f{at}")))).collect();
        for (selection, wakes) in selections.iter_mut().zip(&wakes) {
            let waker = Waker::from(Arc::clone(wakes));
            assert!(poll(selection, &waker).is_some() && poll(selection, &waker).is_none());
        }
        shared.update(|fields| fields.insert("f7".into(), 1)).await.unwrap();
        let woken: Vec<_> = (0..MANY).filter(|&at| wakes[at].0.load(Ordering::SeqCst) > 0).collect();
        assert_eq!(woken, [7]);
    }

    #[tokio::test]
    async fn a_slow_selection_is_told_the_net_change_without_a_diff() {
        let (_store, shared) = fields().await;
        let mut selection = shared.select(|fields| &fields["f1"]);
        let mut by_pointer = shared.select_by(pointer("/f1"));
        let mut other = shared.select_by(pointer("/f2"));
        assert_eq!(selection.next().await.unwrap().new, Some(0));
        by_pointer.next().await.unwrap();
        other.next().await.unwrap();
        for round in 1..=600 {
            shared.update(|fields| fields.insert("f1".into(), round)).await.unwrap();
        }
        let before = count::diffs();
        let mut last = selection.next().await.unwrap();
        while let Some(told) = selection.next().now_or_never().flatten() {
            assert_eq!(told.old, last.new);
            last = told;
        }
        assert_eq!((last.new, count::diffs()), (Some(600), before));
        let mut told = by_pointer.next().await.unwrap();
        while let Some(next) = by_pointer.next().now_or_never().flatten() {
            told = next;
        }
        assert_eq!(told.new, Some(Value::from(600)));
        assert!(other.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_part_that_is_not_there_is_told_as_none_and_when_it_comes() {
        let (_store, shared) = fields().await;
        let mut part = shared.select_by(pointer("/new"));
        let first = part.next().await.unwrap();
        assert_eq!((first.old, first.new), (None, None));
        shared.update(|fields| fields.insert("new".into(), 1)).await.unwrap();
        shared.update(|fields| fields.remove("new")).await.unwrap();
        let came = part.next().await.unwrap();
        assert_eq!((came.old, came.new), (None, Some(Value::from(1))));
        let left = part.next().await.unwrap();
        assert_eq!((left.old, left.new), (Some(Value::from(1)), None));
    }

    #[tokio::test]
    async fn a_selection_ends_with_the_last_handle() {
        let (_store, shared) = fields().await;
        let mut selection = shared.select(|fields| &fields["f1"]);
        let mut by_pointer = shared.select_by(Pointer::default());
        drop(shared);
        assert!(selection.next().await.is_some() && by_pointer.next().await.is_some());
        assert!(selection.next().await.is_none() && by_pointer.next().await.is_none());
    }
}

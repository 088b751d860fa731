"""Fair queueing: who is next when several people have asked for much or little."""

from __future__ import annotations

from twocans.storage.sqlite.fair_queue import FairQueue

ALICE, BOB, CAROL = 1, 2, 3


def serve(queue: FairQueue[str], *, took_s: float = 1.0) -> str:
    """Take the next job and finish it."""
    person, job = queue.take()
    queue.done(person, took_s)
    return job


def test_one_question_comes_before_the_second_of_somebody_who_asked_many() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(100):
        queue.put(ALICE, f"alice {number}")
    serve(queue)
    queue.put(BOB, "bob")
    assert [serve(queue), serve(queue)] == ["bob", "alice 1"]


def test_many_people_with_long_questions_do_not_hold_up_a_newcomer() -> None:
    queue: FairQueue[str] = FairQueue()
    for person in range(10, 410):
        queue.put(person, "long")
    for _ in range(450):
        person, job = queue.take()
        queue.done(person, 1.0, again=job)
    queue.put(BOB, "bob")
    assert serve(queue) == "bob"


def test_unfinished_question_goes_behind_the_others_of_the_same_person() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(ALICE, "long")
    queue.put(ALICE, "short")
    person, job = queue.take()
    queue.done(person, 1.0, again=job)
    assert [serve(queue), serve(queue)] == ["short", "long"]


def test_one_question_of_a_person_is_served_at_a_time() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(ALICE, "first")
    queue.put(ALICE, "second")
    person, _ = queue.take()
    assert not queue
    queue.done(person, 1.0)
    assert queue


def test_people_share_the_time_and_not_the_number_of_questions() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(100):
        queue.put(ALICE, f"alice {number}")
        queue.put(BOB, f"bob {number}")
    served = {ALICE: 0, BOB: 0}
    for _ in range(55):
        person, _ = queue.take()
        served[person] += 1
        queue.done(person, 10.0 if person == ALICE else 1.0)
    assert served == {ALICE: 5, BOB: 50}


def test_time_without_questions_is_not_saved_up() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(BOB, "bob")
    for number in range(50):
        queue.put(ALICE, f"alice {number}")
    for _ in range(21):
        serve(queue)
    for number in range(20):
        queue.put(BOB, f"bob {number}")
    names = [serve(queue).split()[0] for _ in range(20)]
    assert names.count("alice") in range(9, 12)


def test_what_was_served_is_forgotten_when_nobody_waits() -> None:
    queue: FairQueue[str] = FairQueue()
    for number in range(1000):
        queue.put(number, "one")
        serve(queue)
    assert not queue._lines


def test_jobs_that_wait_can_be_removed() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.put(ALICE, "under way")
    person, _ = queue.take()
    queue.put(ALICE, "second")
    queue.put(BOB, "bob")
    assert sorted(queue.clear()) == ["bob", "second"]
    queue.done(person, 1.0)
    assert not queue

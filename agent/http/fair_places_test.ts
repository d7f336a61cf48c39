import assert from "node:assert/strict";
import { FairPlaces } from "./fair_places.ts";

interface Seat {
  readonly name: string;
  standing: number;
}

/** Places and what was lost of them. */
function room(all: number) {
  const places = new FairPlaces<Seat>(all);
  return {
    places,
    enter(name: string, who: string, { standing = 0, most = Infinity } = {}) {
      const seat = { name, standing };
      return { seat, lost: places.enter(seat, who, most)?.name };
    },
  };
}

Deno.test("FairPlaces: whoever has most gives up the oldest for somebody who has fewer", () => {
  const { places, enter } = room(4);
  for (const name of ["a1", "a2", "a3"]) assert.equal(enter(name, "a").lost, undefined);
  assert.equal(enter("b1", "b").lost, undefined);
  assert.equal(enter("c1", "c").lost, "a1");
  assert.equal(enter("d1", "d").lost, "a2");
  assert.equal(enter("a4", "a").lost, "a3", "all have one: the oldest is their own");
  assert.deepEqual(["a", "b", "c", "d"].map((who) => places.of(who)), [1, 1, 1, 1]);
  assert.equal(enter("e1", "e", { standing: 1 }).lost, "b1");
  assert.equal(enter("e2", "e").lost, "c1");
  assert.equal(places.size, 4);
});

Deno.test("FairPlaces: what costs least to lose goes first, whoever has most of all", () => {
  const { enter } = room(5);
  for (const name of ["a1", "a2", "a3"]) enter(name, "a", { standing: 2 });
  const busy = enter("b1", "b", { standing: 1 }).seat;
  enter("b2", "b", { standing: 1 });
  busy.standing = 0;
  assert.equal(enter("c1", "c", { standing: 2 }).lost, "b1", "nothing was under way in it");
  assert.equal(
    enter("c2", "c", { standing: 2 }).lost,
    "a1",
    "b has one left, and something is under way in it",
  );
  assert.equal(enter("c3", "c", { standing: 2 }).lost, "c3", "a has as many");
});

Deno.test("FairPlaces: what is under way is lost only to who has fewer even afterwards", () => {
  const { enter } = room(2);
  enter("a1", "a", { standing: 1 });
  enter("a2", "a", { standing: 1 });
  assert.equal(enter("b1", "b", { standing: 1 }).lost, "a1");
  assert.equal(enter("b2", "b", { standing: 1 }).lost, "b2");
});

Deno.test("FairPlaces: no caller has more than a share, also once the owners are known", () => {
  const { places, enter } = room(10);
  enter("a1", "a", { most: 2 });
  const { seat: second } = enter("x1", "unknown");
  const { seat: third } = enter("x2", "unknown");
  assert.equal(places.move(second, "a", 2), true);
  assert.equal(enter("a3", "a", { most: 2 }).lost, "a3");
  assert.equal(places.move(third, "a", 2), false, "one too many");
  assert.equal(places.move(third, "a", 2), false, "it has no place any more");
  assert.equal(places.move(second, "a", 2), true, "it was theirs already");
  assert.deepEqual([places.size, places.of("a"), places.of("unknown")], [2, 2, 0]);
  places.leave(second);
  places.leave(second);
  assert.deepEqual([places.size, places.of("a")], [1, 1]);
});

Deno.test("FairPlaces: a place keeps its age when it is known whose it is", () => {
  const { places, enter } = room(3);
  const { seat: oldest } = enter("x1", "unknown");
  enter("a1", "a");
  enter("a2", "a");
  places.move(oldest, "a");
  assert.equal(enter("b1", "b").lost, "x1");
});

import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import { NO_POOL, StorageLocks } from "./locks.ts";
import { Reservations } from "../hosts/reservations.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
    return "ok";
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error.code;
  }
};

Deno.test("what one operation has of a host is another's of the same host no more, until it is given back", () => {
  const locks = new StorageLocks(true);
  const make = locks.take("default", "a.qcow2", { hold: "make" });
  assert.equal(codeOf(() => locks.take("default", "a.qcow2")), "StorageBusy");
  assert.equal(codeOf(() => locks.require("default", "a.qcow2", "read")), "StorageBusy");
  assert.equal(codeOf(() => locks.refuseWorkedOn("default")), "StorageBusy");
  assert.deepEqual([locks.isUnfinished("default", "a.qcow2"), locks.anyUnfinished], [true, true]);
  make[Symbol.dispose]();
  assert.deepEqual([locks.isHeld("default", "a.qcow2"), locks.anyUnfinished], [false, false]);
  using _one = locks.take("default", "a.qcow2", { hold: "read" });
  using _other = locks.take("default", "a.qcow2", { hold: "read" });
  assert.equal(codeOf(() => locks.take("default", "a.qcow2")), "StorageBusy");
  using _given = locks.take("default", "b.qcow2", { vm: "web" });
  assert.equal(codeOf(() => locks.take("default", "b.qcow2")), "DiskInUse");
});

Deno.test("hosts with a pool, a volume and a VM of the same names are not in each other's way", () => {
  const here = new StorageLocks(true), lab = new StorageLocks(false), far = new StorageLocks(false);
  using _pool = here.take("default");
  using _volume = here.take("default", "a.qcow2", { hold: "make" });
  using _image = lab.take(NO_POOL, "/images/a.qcow2");
  for (const locks of [lab, far]) {
    assert.equal(codeOf(() => locks.take("default")[Symbol.dispose]()), "ok");
    assert.equal(codeOf(() => locks.take("default", "a.qcow2")[Symbol.dispose]()), "ok");
    assert.equal(codeOf(() => locks.refuseWorkedOn("default")), "ok");
    assert.deepEqual([locks.isUnfinished("default", "a.qcow2"), locks.anyUnfinished], [false, false]);
  }
  assert.equal(far.isHeld(NO_POOL, "/images/a.qcow2"), false);
  const names = new Reservations(), others = new Reservations();
  using _name = names.take("name", "web", "web") as Disposable;
  assert.equal(typeof names.take("name", "web", "web"), "string");
  assert.notEqual(typeof others.take("name", "web", "web"), "string");
});

Deno.test("an image of this machine is held for all of its libvirts", () => {
  const system = new StorageLocks(true), session = new StorageLocks(true);
  using _held = system.take(NO_POOL, "/images/a.qcow2");
  assert.equal(codeOf(() => session.take(NO_POOL, "/images/a.qcow2")), "StorageBusy");
});

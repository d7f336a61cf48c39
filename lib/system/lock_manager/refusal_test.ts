import assert from "node:assert/strict";
import { isUnchanged, type LockChange, lockRefusal, type LockState } from "./refusal.ts";

const STATE: LockState = {
  driver: "none",
  fault: null,
  pending: false,
  plugin: true,
  lockspace: null,
  leases: null,
  runningVms: 0,
  others: [],
  automatic: false,
};
const ON: LockChange = { driver: "lockd", lockspace: undefined, restart: true, whileRunning: false };
const why = (change: Partial<LockChange>, state: Partial<LockState> = {}) =>
  lockRefusal({ ...ON, ...change }, { ...STATE, ...state }, "debian") ?? "";

Deno.test("lockRefusal() lets what is safe be done", () => {
  assert.equal(why({}), "");
  assert.equal(why({ whileRunning: true }, { runningVms: 3 }), "");
  assert.equal(why({ driver: "none" }, { driver: "lockd", leases: 2, runningVms: 2 }), "");
  assert.equal(why({ lockspace: "/x" }, { driver: "lockd", leases: 0, lockspace: "/y" }), "");
});

Deno.test("lockRefusal() says why not, and what to do", () => {
  assert.match(
    why({}, { fault: "/etc/libvirt/qemu.conf, line 3: x", driver: "unknown" }),
    /line 3: x\. Correct the file/,
  );
  assert.match(why({}, { driver: "sanlock" }), /sanlock is on\. Shut all VMs down/);
  assert.match(why({ driver: "none" }, { driver: "sanlock" }), /sanlock is on/);
  assert.match(why({}, { plugin: false }), /not installed\. Install it: apt-get install -y libvirt-daemon\./);
  assert.match(why({}, { runningVms: 3 }), /3 VMs run.*whileRunning/);
  assert.match(why({ restart: false }), /has to be restarted.*Allow it/);
  assert.match(why({ lockspace: "/x" }, { driver: "lockd", leases: 2, lockspace: "/y" }), /hold 2 leases/);
  assert.match(
    why({ lockspace: "/x" }, { driver: "lockd", leases: null, runningVms: 1 }),
    /an unknown number/,
  );
});

Deno.test("lockRefusal() refuses a mixture among hosts that share storage", () => {
  const other = { host: "kvm2", driver: "lockd", lockspace: "/srv/locks", storage: "nfs://nas/vms" } as const;
  const with_ = (change: object) => ({ others: [{ ...other, ...change }] });
  assert.match(why({}, with_({ driver: "sanlock" })), /kvm2 has sanlock.*both hosts have nfs/);
  assert.match(why({}, with_({})), /kvm2 has virtlockd in \/srv\/locks/);
  assert.equal(why({ lockspace: "/srv/locks" }, with_({})), "");
  // One has to be the first, nothing is known of one that does not answer, and one without common storage is no matter
  assert.equal(why({}, with_({ driver: "none", lockspace: null })), "");
  assert.equal(why({}, with_({ driver: null, lockspace: null })), "");
  assert.equal(why({}, with_({ driver: "sanlock", storage: null })), "");
  // It can always be turned off
  assert.equal(why({ driver: "none" }, { driver: "lockd", ...with_({ driver: "sanlock" }) }), "");
});

Deno.test("isUnchanged() is about what libvirt runs with", () => {
  const same = (change: Partial<LockChange>, state: Partial<LockState>) =>
    isUnchanged({ ...ON, ...change }, { ...STATE, ...state });
  assert.equal(same({}, {}), false);
  assert.equal(same({}, { driver: "lockd" }), true);
  assert.equal(same({}, { driver: "lockd", lockspace: "/x" }), true); // left out: it stays
  assert.equal(same({ lockspace: null }, { driver: "lockd", lockspace: "/x" }), false);
  assert.equal(same({}, { driver: "lockd", pending: true }), false);
  assert.equal(same({ driver: "none" }, {}), true);
});

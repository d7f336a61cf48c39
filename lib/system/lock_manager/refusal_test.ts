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
  hostNumber: null,
  sanlock: { plugin: true, daemon: true, joined: null },
};
const ON: LockChange = {
  driver: "lockd",
  lockspace: undefined,
  hostNumber: undefined,
  restart: true,
  whileRunning: false,
};
const SANLOCK = { driver: "sanlock", hostNumber: 1, lockspace: "/l" } as const;
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
  assert.match(why({}, SANLOCK), /sanlock is on\. Shut all VMs down and turn it off/);
  assert.match(why(SANLOCK, { driver: "lockd" }), /virtlockd is on\. Shut all VMs down and turn it off/);
  assert.match(why({}, { plugin: false }), /not installed\. Install it: apt-get install -y libvirt-daemon\./);
  assert.match(why({}, { runningVms: 3 }), /3 VMs run.*whileRunning/);
  assert.match(why({ restart: false }), /has to be restarted.*Allow it/);
  assert.match(why({ lockspace: "/x" }, { driver: "lockd", leases: 2, lockspace: "/y" }), /hold 2 leases/);
  assert.match(
    why({ lockspace: "/x" }, { driver: "lockd", leases: null, runningVms: 1 }),
    /an unknown number/,
  );
});

Deno.test("lockRefusal() has sanlock run, with a number of its own, before it is turned on", () => {
  const sanlock = { plugin: true, daemon: true, joined: null };
  assert.equal(why(SANLOCK), "");
  assert.equal(why({ driver: "none" }, { ...SANLOCK, runningVms: 2, leases: 2 }), "");
  assert.equal(why(SANLOCK, { sanlock: { ...sanlock, joined: "1:/l" } }), "");
  assert.match(
    why(SANLOCK, { sanlock: { ...sanlock, plugin: false } }),
    /driver for sanlock.*libvirt-sanlock/,
  );
  assert.match(why(SANLOCK, { sanlock: { ...sanlock, daemon: false } }), /enable --now wdmd sanlock/);
  assert.match(why({ ...SANLOCK, hostNumber: undefined }), /needs a number/);
  assert.equal(why({ driver: "sanlock", lockspace: "/m" }, SANLOCK), "", "the number stays");
  assert.match(why(SANLOCK, { runningVms: 2 }), /2 VMs run, and have no leases until they are shut down/);
  assert.equal(why({ ...SANLOCK, whileRunning: true }, { runningVms: 2 }), "");
  assert.match(why(SANLOCK, { sanlock: { ...sanlock, joined: "2:/l" } }), /joined as 2:\/l.*restart sanlock/);
  assert.match(why({ ...SANLOCK, lockspace: "/m" }, { ...SANLOCK, leases: 1 }), /hold 1 leases/);
  const other = { host: "kvm2", driver: "sanlock", lockspace: "/l", storage: "nfs://nas/vms" } as const;
  assert.match(why(SANLOCK, { others: [{ ...other, hostNumber: 1 }] }), /kvm2 has the number 1/);
  assert.equal(why(SANLOCK, { others: [{ ...other, hostNumber: 2 }] }), "");
  const folder = { ...other, lockspace: "/m", hostNumber: 2 };
  assert.match(why(SANLOCK, { others: [folder] }), /kvm2 has sanlock in \/m, and both/);
  // Left out, it is libvirt's folder, whatever virtlockd had
  assert.equal(
    why({ ...SANLOCK, lockspace: undefined }, {
      others: [{ ...folder, lockspace: "/var/lib/libvirt/sanlock" }],
    }),
    "",
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
  assert.equal(same({ driver: "sanlock" }, SANLOCK), true);
  assert.equal(same({ driver: "sanlock", hostNumber: 2 }, SANLOCK), false);
});

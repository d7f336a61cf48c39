/**
 * Generated over all errors, and all ways in which a message can name VMs or count them: who sees one VM learns no other's name, id or
 * number from what is refused, from tasks, their logs, the activity and events, in English and in the pseudo-locale.
 */
import { messageOf } from "../../lib/text/message.ts";
import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { permissionsOf } from "../../lib/access/permissions.ts";
import { EventView } from "../../lib/access/filter_output.ts";
import { ContractError, type ErrorCode, ERRORS } from "../../lib/contract/errors.ts";
import type { Grant, VM } from "../../lib/contract/mod.ts";
import { useLocale } from "../../lib/i18n/locale.ts";
import { message, rendered, type Sentence, vmName } from "../../lib/i18n/message.ts";
import { addPseudoTexts, PSEUDO_LOCALE } from "../../lib/i18n/pseudo.ts";
import { HIDDEN_MESSAGE, HIDDEN_VM } from "../../lib/access/redact.ts";
import type { Principal } from "../access.ts";
import { type AccessWorld, viewerOf } from "./authorise.ts";
import { createDispatch, type Handlers } from "../dispatch.ts";
import { EventHub, type Published } from "../events/hub.ts";
import { jobHandlers } from "../jobs/handlers.ts";
import { Jobs } from "../jobs/jobs.ts";
import { batch } from "../vm/lifecycle/batch.ts";
import { ActivityLog } from "../store/activity.ts";
import { Store } from "../store/store.ts";
import { localPrincipal, TestClock } from "../testing.ts";

const OWN = { id: "0aaaaaaa-0000-4000-8000-000000000001", name: "ownvm" };
/** VMs out of sight; the last is gone. Their number is one that nothing else is. */
const HIDDEN = ["payroll", "board room", "Würfel.9", "ledger"].map((name, at) => ({
  id: `0bbbbbbb-0000-4000-8000-00000000000${at}`,
  name,
}));
const GONE = HIDDEN.at(-1)!, COUNT = 98_127_313;
const VMS = [OWN, ...HIDDEN.slice(0, -1)].map((vm) => ({ ...vm, tags: [] })) as unknown as VM[];
const SECRETS = [...HIDDEN.flatMap(({ id, name }) => [id, name]), String(COUNT)];

/** All values for a place of a text that name VMs: kind → value. */
const VALUES: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(HIDDEN.map((vm) => [`the VM ${vm.name}`, vmName(vm)])),
  "a list": [OWN, ...HIDDEN].map(vmName),
  "a count": { $vms: COUNT },
  "a message": message`${"/images/payroll.img"} is held by ${vmName(HIDDEN[0]!)}`,
  "a message with a count": message`${{ $vms: COUNT }} VMs are meant. ${message`${vmName(GONE)}: off`}`,
  "an error":
    new ContractError("VolumeInUse", { vm: vmName(HIDDEN[1]!), pool: "p", name: "ledger" }).sentence,
};
/** The same as other programs say it, in the places that have their words. */
const FOREIGN: Readonly<Record<string, string>> = {
  "libvirt's name": "domain 'payroll' already exists",
  "libvirt's id": `domain is already defined with uuid ${HIDDEN[1]!.id}`,
  "a name of a VM that is gone": "used by ledger: busy",
  "a name beyond ASCII": "Failed to get lock (Würfel.9)",
};
const FOREIGN_PLACES: ReadonlySet<string> = new Set([
  "error",
  "reason",
  "what",
  "vm",
  "vms",
  "users",
  "first",
]);

const placesOf = (code: ErrorCode) => [...ERRORS[code].text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);

/** Every error with each of its places filled in each way; what it is called → the error. */
function* errors(): Generator<readonly [string, ContractError]> {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const places = placesOf(code);
    const plain = Object.fromEntries(places.map((place) => [place, "x"]));
    for (const place of places) {
      const ways = Object.entries({ ...VALUES, ...FOREIGN_PLACES.has(place) && FOREIGN });
      for (const [kind, value] of ways) {
        yield [`${code} {${place}}: ${kind}`, new ContractError(code, { ...plain, [place]: value })];
      }
    }
    for (const [kind, value] of Object.entries(VALUES)) {
      const own = message`Its own text: ${value}`;
      yield [`${code}, its own text: ${kind}`, new ContractError(code, plain, { message: own })];
    }
  }
}

/** The host of the VM that is seen; the others are on the local one. */
const LAB = "lab";
const hostIdOf = (vmId: string) => vmId === OWN.id ? LAB : "local";
const PLACES: AccessWorld = {
  vm: (vmId) => {
    const vm = VMS.find(({ id }) => id === vmId);
    return vm && { name: vm.name, hostId: hostIdOf(vmId) };
  },
  vmsOn: (hostId) =>
    VMS.filter(({ id }) => hostIdOf(id) === hostId).map(({ id }) => ({ vmId: id, group: undefined, hostId })),
  hostOf: () => LAB,
};
/** Viewers who must learn nothing of the others: grants by name. */
const ONLOOKERS: Readonly<Record<string, Grant["on"]>> = {
  "one VM": { kind: "vm", vmId: OWN.id },
  "one host": { kind: "host", host: LAB },
};
const principalOn = (on: Grant["on"]): Principal => ({
  ...localPrincipal("api"),
  name: "eve",
  rights: [[{ permissions: permissionsOf("operator"), on }]],
});

/** Runs a test with the answers and events of a user who sees one VM or host. @param on object of the user's rights */
async function world(
  on: Grant["on"],
  run: (told: {
    readonly fails: (error: unknown) => void;
    readonly call: (command: string, input?: unknown) => Promise<unknown>;
    readonly jobs: Jobs;
    readonly events: () => unknown[];
    readonly clear: () => void;
  }) => Promise<void>,
) {
  // In memory: thousands of tasks would each wait for the disk
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-", dir: "/dev/shm" });
  const store = new Store(folder), hub = new EventHub(), published: Published[] = [];
  using _following = hub.follow((events) => void published.push(...events));
  const vms = () => VMS, former = () => [GONE];
  const jobs = new Jobs(store, {
    clock: new TestClock(),
    names: { current: vms, former },
    onChanged: (changed) => hub.publishAll(changed.map((job) => ["job-changed", { job }])),
    onProgress: (job) => hub.publish("job-progress", { job }),
  });
  const activity = new ActivityLog(store, (entry) => hub.publish("activity", entry));
  let thrown: unknown;
  const fail = () => {
    throw thrown;
  };
  const principal = principalOn(on);
  const handlers: Partial<Handlers> = {
    ...jobHandlers(jobs, PLACES),
    get_activity: ({ limit = 50 }) => activity.latest(limit),
    start_vm: fail,
    batch_start_vms: ({ vmIds }) =>
      batch(vmIds, () => Promise.reject(thrown), (error) => error as ContractError),
  };
  const dispatch = createDispatch({
    route: (command) => ({ handler: handlers[command]! }),
    record: (entry) => void activity.record(entry),
    ...PLACES,
    vms,
    formerNames: former,
    requireConfirmed: () => Promise.resolve(),
    grantedGroups: () => new Set(),
    settled: () => Promise.resolve(),
  });
  const view = new EventView(viewerOf(principal, PLACES), [OWN.id], vms);
  try {
    await run({
      fails: (error) => void (thrown = error),
      call: (command, input = {}) => dispatch(command, input, principal),
      jobs,
      events: () => published.map((event) => rendered(view.shown(event))),
      clear: () => void (published.length = 0),
    });
  } finally {
    activity.close();
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Looks at what was told: as it goes over the wire, and as a page has it. */
function requireNothingTold(what: string, told: unknown): void {
  const text = told instanceof ContractError
    ? JSON.stringify([told, told.message, told.details])
    : JSON.stringify(told);
  for (const secret of SECRETS) assert.ok(!text.includes(secret), `${what} tells ${secret}: ${text}`);
}

/** A task on the VM that is seen, which fails; its title, what it is about and its log say a sentence. */
const failedTask = (jobs: Jobs, sentence: Sentence, error: unknown) =>
  jobs.run({
    command: "start_vm",
    actor: "ann",
    vmId: OWN.id,
    ifInterrupted: "Look.",
    title: sentence,
    subject: sentence,
  }, (job) => {
    for (let line = 0; line < 3; line++) job.log(sentence);
    job.progress(1, 2);
    return Promise.reject(error);
  }).catch(() => undefined);

const LOCALES = ["en", PSEUDO_LOCALE];
addPseudoTexts(Object.fromEntries(
  [...Object.values(ERRORS).map(({ text }) => text), HIDDEN_VM, HIDDEN_MESSAGE].map((text) => [text, text]),
));

const CASES = LOCALES.flatMap((locale) =>
  Object.entries(ONLOOKERS).map(([what, on]) => ({ locale, on, who: `rights to ${what}, ${locale}` }))
);
for (const { locale, on, who } of CASES) {
  Deno.test(`no error tells who sees one VM of another: refused, as a batch's result, in the activity (${who})`, () =>
    world(on, async ({ fails, call, events, clear }) => {
      using _language = useLocale(() => locale);
      let cases = 0;
      for (const [what, error] of errors()) {
        cases++;
        fails(error);
        clear();
        const refused = await call("start_vm", { vmId: OWN.id }).catch((thrown) => thrown);
        assert.ok(refused instanceof ContractError && refused.code === error.code, what);
        requireNothingTold(what, refused);
        requireNothingTold(`${what} as an event`, events());
        requireNothingTold(`${what} of several`, await call("batch_start_vms", { vmIds: [OWN.id] }));
        if (cases % 50 === 0) {
          requireNothingTold("the activity", await call("get_activity", { limit: 50 }));
        }
      }
      assert.ok(cases > 3000, `${cases} cases`);
      assert.ok(
        JSON.stringify(await call("get_activity", { limit: 50 })).includes(OWN.id),
        "it shows nothing",
      );
    }));

  Deno.test(`no task tells who sees one VM of another: its title, its log, why it failed (${who})`, () =>
    world(on, async ({ call, jobs, events, clear }) => {
      using _language = useLocale(() => locale);
      let cases = 0;
      for (const [what, error] of errors()) {
        clear();
        await failedTask(jobs, error.sentence, error);
        const jobId = jobs.list(1)[0]!.id;
        const whole = await call("get_job", { jobId }) as { job: { error: { code: string } } };
        assert.equal(whole.job.error.code, error.code, what);
        requireNothingTold(`${what} in a task and its log`, whole);
        if (++cases % 50 === 0) requireNothingTold("the tasks", await call("list_jobs", { limit: 50 }));
        const told = events();
        assert.ok(told.some((event) => event !== null), `${what}: no event`);
        requireNothingTold(`${what} as events`, told);
      }
    }));
}

Deno.test("what libvirt says of another VM is told to who sees that, and to others not", () =>
  world(ONLOOKERS["one VM"]!, async ({ fails, call }) => {
    fails(new LibvirtError({ code: VIR_ERR.OPERATION_FAILED, message: "domain 'payroll' already exists" }));
    const hidden = await call("start_vm", { vmId: OWN.id }).catch(messageOf);
    assert.equal(hidden, `Libvirt failed: ${HIDDEN_MESSAGE}`);
    fails(new LibvirtError({ code: VIR_ERR.OPERATION_FAILED, message: "domain 'ownvm' is broken" }));
    const seen = await call("start_vm", { vmId: OWN.id }).catch(messageOf);
    assert.equal(seen, "Libvirt failed: domain 'ownvm' is broken");
  }));

Deno.test("a reader's language is that of messages, and of nothing else of an error", () => {
  const error = new ContractError("VolumeInUse", { vm: vmName(OWN), pool: "p", name: "a" });
  const english = error.toJSON();
  using _language = useLocale(() => PSEUDO_LOCALE);
  const { message: told, ...rest } = error.toJSON();
  assert.match(told, /^⟦.*ownvm.*⟧$/);
  assert.deepEqual(rest, { code: english.code, details: english.details });
});

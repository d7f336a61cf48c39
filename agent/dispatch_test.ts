import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "../ffi/error.ts";
import { type Command, type CommandName, COMMANDS, ContractError, ROLES } from "../lib/contract/mod.ts";
import { joinsSame } from "../lib/contract/command.ts";
import { OWN_SAMPLES, SAMPLES } from "../lib/contract/testing.ts";
import { render } from "../lib/i18n/message.ts";
import { needOf } from "../lib/access/permissions.ts";
import { layerOf, type Rights } from "../lib/access/rights.ts";
import type { BatchOperationResult, Grant, Role, VM } from "../lib/contract/mod.ts";
import { type Principal, principalOf } from "./access.ts";
import {
  type CallContext,
  createDispatch,
  type DispatchOptions,
  type Handlers,
  isCommand,
  validate,
} from "./dispatch.ts";
import { setLogLevel } from "./log.ts";
import type { ActivityEntry } from "./store/activity.ts";

/** Somebody with a role on everything. */
const as = (role: Role): Principal =>
  principalOf({
    name: "ann",
    door: "api",
    via: "session",
    rights: [layerOf([{ role, on: { kind: "everything" } }], new Map())],
  });
const ADMIN = as("administrator");

/** Answers of commands that rights are applied to. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  get_vms: [],
  get_activity: [],
  list_hangs: [],
  list_jobs: [],
  search_jobs: { jobs: [], hosts: [], next: null },
  list_alerts: [],
  list_projects: [],
  get_alert_history: [],
  get_job: { job: { error: null }, log: [] },
  get_host_info: {},
};
const answerOf = (name: string) =>
  name.startsWith("batch_") ? { results: [{ vmId: "u-1", success: true }] } : ANSWERS[name] ?? null;

/** A dispatcher whose commands all do `run`, with what it recorded and carried out. */
function dispatcher(
  run?: (input: unknown, context: CallContext) => unknown,
  isConfirmed = true,
  { vms = [], staleTarget, route }: Partial<Pick<DispatchOptions, "staleTarget" | "route">> & {
    vms?: readonly VM[];
  } = {},
) {
  const asked: Principal[] = [];
  const recorded: ActivityEntry[] = [];
  const calls: [string, unknown, CallContext][] = [];
  const handlers = Object.fromEntries(
    Object.keys(COMMANDS).map((name) => [name, (input: unknown, context: CallContext) => {
      calls.push([name, input, context]);
      return run === undefined ? answerOf(name) : run(input, context);
    }]),
  ) as unknown as Handlers;
  const dispatch = createDispatch({
    route: route ?? ((command) => ({ handler: handlers[command] })),
    record: (entry) => void recorded.push(entry),
    settled: () => Promise.resolve(),
    vm: (vmId) => vmId === "u-1" ? { name: "web", hostId: "local" } : undefined,
    vmsOn: () => [],
    hostOf: () => "local",
    vms: () => vms,
    formerNames: () => [],
    requireConfirmed: (principal) => {
      asked.push(principal);
      return isConfirmed ? Promise.resolve() : Promise.reject(new ContractError("PasswordNeeded"));
    },
    grantedGroups: () => new Set(),
    ...(staleTarget && { staleTarget }),
  });
  return { asked, dispatch, recorded, calls };
}
const failing = async (call: Promise<unknown>): Promise<ContractError> => {
  const error = await call.then((value) => new Error(`gave ${JSON.stringify(value)}`), (thrown) => thrown);
  assert.ok(error instanceof ContractError, String(error));
  return error;
};
const sampleOf = (name: CommandName) => {
  const { required = [] } = COMMANDS[name].input as { required?: string[] };
  return { ...Object.fromEntries(required.map((field) => [field, SAMPLES[field]])), ...OWN_SAMPLES[name] };
};

Deno.test("dispatch() answers a batch alike for a VM out of sight and for one that is not there", async () => {
  const hidden = { id: "u-2", name: "secret", tags: [] as string[] } as VM;
  const { dispatch, calls } = dispatcher(undefined, true, { vms: [hidden] });
  const rights = [layerOf([{ role: "operator", on: { kind: "vm", vmId: "u-1" } }], new Map())];
  const ann = principalOf({ name: "ann", door: "api", via: "session", rights });
  const vmIds = ["u-1", "u-2", "u-3"];
  const { results } = await dispatch("batch_stop_vms", { vmIds }, ann) as BatchOperationResult;
  assert.deepEqual(calls.map(([, input]) => input), [{ vmIds: ["u-1"] }]);
  const refusal = (vmId: string) => new ContractError("VmNotFound", { vmId }).toJSON();
  assert.deepEqual(results, [
    { vmId: "u-1", success: true },
    ...["u-2", "u-3"].map((vmId) => ({ vmId, success: false, error: refusal(vmId) })),
  ]);
});

Deno.test("dispatch() records the name that a VM was to have, which was not made", async () => {
  const { dispatch, recorded } = dispatcher(() => {
    throw new ContractError("VmNameExists", { name: "web2" });
  });
  const input = { ...sampleOf("create_vm"), name: "web2" };
  assert.equal((await failing(dispatch("create_vm", input, ADMIN))).code, "VmNameExists");
  await failing(dispatch("create_vm", { ...input, cpuCount: "many" }, ADMIN));
  assert.deepEqual(recorded.map(({ result, vmId, vmName }) => [result, vmId, vmName]), [
    ["error", undefined, "web2"],
    ["error", undefined, undefined], // what is not valid may be anything
  ]);
});

Deno.test("dispatch() asks for a fresh proof before every command whose row says so, and before no other", async () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const { confirms, errors }: Command = COMMANDS[name];
    const { asked, dispatch, calls } = dispatcher(undefined, false);
    const error = await dispatch(name, sampleOf(name), ADMIN).then(() => undefined, (thrown) => thrown);
    if (!confirms) {
      assert.deepEqual(asked, [], name);
      continue;
    }
    assert.equal(error?.code, "PasswordNeeded", name);
    assert.deepEqual([asked.length, calls.length], [1, 0], name);
    assert.ok(errors.includes("PasswordNeeded"), `${name} does not tell of the error`);
    await dispatcher().dispatch(name, sampleOf(name), ADMIN);
  }
});

Deno.test("dispatch() lets each role do its commands and no others, for every command", async () => {
  const { dispatch, calls } = dispatcher();
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const { role, permission } = needOf(name);
    for (const has of ROLES) {
      calls.length = 0;
      const call = dispatch(name, sampleOf(name), as(has));
      const allowed = permission === "socket"
        ? false
        : permission === "anyone" || permission === "signed-in" ||
          ROLES.indexOf(has) >= ROLES.indexOf(role);
      if (allowed) await call;
      else {assert.deepEqual(
          (await failing(call)).toJSON(),
          new ContractError("Forbidden", { role }).toJSON(),
        );}
      assert.equal(calls.length, allowed ? 1 : 0, `${name} as ${has}`);
    }
  }
});

Deno.test("dispatch() refuses before it validates: who may not do it learns nothing of the input", async () => {
  const { dispatch } = dispatcher();
  assert.equal(
    (await failing(dispatch("delete_vm", { nonsense: 1 }, as("viewer")))).code,
    "Forbidden",
  );
});

Deno.test("dispatch() knows commands of the contract alone", async () => {
  const { dispatch, recorded } = dispatcher();
  for (
    const name of [
      "",
      "constructor",
      "__proto__",
      "toString",
      "hasOwnProperty",
      "GET_VMS",
      "getVms",
      "get_vms ",
      "../get_vms",
    ]
  ) {
    assert.equal(isCommand(name), false, name);
    assert.equal((await failing(dispatch(name, {}, ADMIN))).code, "UnknownCommand");
  }
  assert.equal(
    (await failing(dispatch("x".repeat(1e6), {}, ADMIN))).message,
    `Unknown command: ${"x".repeat(64)}`,
  );
  assert.equal(recorded.length, 0);
});

Deno.test("dispatch() hands input and principal to the handler, and its answer back", async () => {
  const { dispatch, calls } = dispatcher(() => "answer");
  assert.equal(await dispatch("get_vm", { vmId: "u-1" }, ADMIN), "answer");
  const [[name, input, { principal }]] = calls as [[string, unknown, CallContext]];
  const { becomes: _becomes, ...given } = principal;
  assert.deepEqual([name, input, given], ["get_vm", { vmId: "u-1" }, ADMIN]);
  await dispatch("get_vms", undefined, ADMIN);
  await dispatch("get_vms", null, ADMIN);
  assert.deepEqual(calls.slice(1).map(([, input]) => input), [{}, {}]);
});

Deno.test("validate() names the field that is wrong, and what is wrong with it", () => {
  const table: [CommandName, unknown, RegExp][] = [
    ["get_vm", {}, /^Invalid input: missing field vmId$/],
    ["get_vm", { vmId: 5 }, /^Invalid input: vmId must be a text$/],
    ["get_vm", { vmId: null }, /^Invalid input: vmId must be a text$/],
    ["get_vm", { vmId: "" }, /^Invalid input: vmId must not be empty$/],
    ["get_vm", { vmId: "x".repeat(129) }, /^Invalid input: vmId must have at most 128 characters$/],
    ["get_vm", { vmId: "x", admin: true }, /^Invalid input: unknown field "admin"$/],
    ["get_vms", { a: 1, b: 2 }, /^Invalid input: unknown field "a", "b"$/],
    [
      "get_vms",
      JSON.parse('{"__proto__": {"role": "administrator"}}'),
      /^Invalid input: unknown field "__proto__"$/,
    ],
    ["get_vms", JSON.parse('{"constructor": 1}'), /^Invalid input: unknown field "constructor"$/],
    ["get_vms", [], /^Invalid input: the input must be an object with fields$/],
    ["get_vms", "x", /^Invalid input: the input must be an object with fields$/],
    ["delete_vm", { vmId: "x", deleteDisks: "true" }, /^Invalid input: deleteDisks must be true or false$/],
    ["get_activity", { limit: 0 }, /^Invalid input: limit must be at least 1$/],
    ["get_activity", { limit: 501 }, /^Invalid input: limit must be at most 500$/],
    ["get_activity", { limit: 1.5 }, /^Invalid input: limit must be a whole number$/],
    ["batch_start_vms", { vmIds: [] }, /^Invalid input: vmIds must not be empty$/],
    ["batch_start_vms", { vmIds: ["a", 5] }, /^Invalid input: vmIds\.1 must be a text$/],
    ["batch_start_vms", { vmIds: ["a", "a"] }, /^Invalid input: vmIds must not have the same item twice$/],
    [
      "batch_start_vms",
      { vmIds: Array(1001).fill("a") },
      /^Invalid input: vmIds must have at most 1,000 items$/,
    ],
    ["set_tags", { vmId: "x", tags: ["a b"] }, /^Invalid input: tags\.0 must not contain " "$/],
    ["set_tags", { vmId: "x", tags: ["a\u0000"] }, /^Invalid input: tags\.0 must not contain "\\u0000"$/],
    ["set_group", { vmId: "x", group: "a\nb" }, /^Invalid input: group must not contain "\\n"$/],
  ];
  for (const [name, input, text] of table) {
    assert.throws(() => validate(name, input), (error) => {
      assert.ok(error instanceof ContractError && error.code === "InvalidInput");
      assert.match(error.message, text);
      return true;
    });
  }
});

Deno.test("validate() says no in few words, however much was wrong", () => {
  const many = Object.fromEntries(
    Array.from({ length: 50_000 }, (_, index) => [`field-${index}-${"x".repeat(200)}`, 1]),
  );
  assert.throws(
    () => validate("get_vms", many),
    (error) => error instanceof ContractError && error.message.length < 500,
  );
});

Deno.test("dispatch() audits what changes something: who, what, on which machine, with which result", async () => {
  const { dispatch, recorded } = dispatcher();
  await dispatch("get_vms", {}, ADMIN);
  assert.equal(recorded.length, 0);
  await dispatch("start_vm", { vmId: "u-1" }, ADMIN);
  const { tookMs, ...entry } = recorded[0]!;
  assert.ok(tookMs! >= 0);
  assert.deepEqual(entry, {
    actor: "ann",
    door: "api",
    action: "start_vm",
    result: "ok",
    input: { vmId: "u-1" },
    vmId: "u-1",
    vmName: "web",
  });
});

Deno.test("dispatch() audits a refusal as one, though the input names a host that is not there", async () => {
  const staleTarget = () => Promise.reject(new ContractError("HostNotFound", { host: "nowhere" }));
  const { dispatch, recorded } = dispatcher(undefined, true, { staleTarget });
  const input = { vmId: "u-1", host: "nowhere" };
  assert.equal((await failing(dispatch("force_stop_vm", input, as("viewer")))).code, "Forbidden");
  assert.equal((await failing(dispatch("force_stop_vm", input, ADMIN))).code, "InvalidInput");
  assert.deepEqual(recorded.map(({ result }) => result), ["error", "error"]);
});

Deno.test("dispatch() audits refusals, too, and a machine it does not know by no name", async () => {
  const { dispatch, recorded } = dispatcher(() => {
    throw new ContractError("VmNotFound", { vmId: "u-2" });
  });
  await failing(dispatch("start_vm", { vmId: "u-2" }, ADMIN));
  await failing(dispatch("start_vm", { vmId: 5 }, ADMIN));
  await failing(dispatch("start_vm", { vmId: "u-1" }, as("viewer")));
  assert.deepEqual(
    recorded.map(({ result, message, vmId, vmName }) => [result, render(message), vmId, vmName]),
    [
      ["error", "VM not found: u-2", undefined, undefined],
      ["error", "Invalid input: vmId must be a text", undefined, undefined],
      ["error", "This needs the role operator", "u-1", "web"],
    ],
  );
});

Deno.test("dispatch() keeps a bounded input, so that the audit cannot fill the disk", async () => {
  const { dispatch, recorded } = dispatcher();
  await failing(dispatch("start_vm", { vmId: "x".repeat(1e6) }, ADMIN));
  await failing(
    dispatch(
      "start_vm",
      Object.fromEntries(Array.from({ length: 9999 }, (_, index) => [`f${index}`, 1])),
      ADMIN,
    ),
  );
  const deep = JSON.parse("[".repeat(300_000) + "]".repeat(300_000));
  await failing(dispatch("start_vm", { vmId: deep }, ADMIN));
  for (const entry of recorded) {
    assert.ok(JSON.stringify(entry).length < 10_000, JSON.stringify(entry).slice(0, 300));
  }
  assert.equal(recorded.length, 3);
});

Deno.test("dispatch() turns libvirt's errors into the contract's", async () => {
  const of = async (failure: ConstructorParameters<typeof LibvirtError>[0]) => {
    const { dispatch } = dispatcher(() => {
      throw new LibvirtError(failure);
    });
    const { code, message } = await failing(dispatch("get_vm_xml", { vmId: "u-1" }, ADMIN));
    return [code, message];
  };
  assert.deepEqual(await of({ code: VIR_ERR.OPERATION_FAILED, message: "no" }), [
    "LibvirtFailed",
    "Libvirt failed: no",
  ]);
  assert.deepEqual(await of({ kind: "unavailable", message: "x: Connection refused" }), [
    "LibvirtUnavailable",
    "Libvirtd is not running. Please start the service.",
  ]);
  assert.equal((await of({ kind: "timeout", message: "no answer within 3 seconds" }))[0], "LibvirtTimeout");
});

Deno.test("dispatch() tells nothing of our own faults but that there was one", async () => {
  const { stderr } = Deno, original = stderr.writeSync;
  let logged = "";
  stderr.writeSync = (bytes) => (logged += new TextDecoder().decode(bytes), bytes.length);
  try {
    for (const thrown of [new TypeError("secret /path"), "secret", null, undefined, { secret: 1 }]) {
      const { dispatch, recorded } = dispatcher(() => {
        throw thrown;
      });
      const error = await failing(dispatch("start_vm", { vmId: "u-1" }, ADMIN));
      assert.doesNotMatch(JSON.stringify(error) + JSON.stringify(recorded), /secret|stack|dispatch_test/);
      assert.deepEqual([error.code, error.status], ["Internal", 500]);
    }
    assert.match(
      logged,
      /a command failed unexpectedly command=start_vm error="secret \/path" stack=.*dispatch_test/,
    );
  } finally {
    stderr.writeSync = original;
    setLogLevel("info");
  }
});

Deno.test("dispatch() records that a field with secrets was given, and not what it said (threat 19)", async () => {
  const { dispatch, recorded, calls } = dispatcher();
  await dispatch("set_vm_xml", { vmId: "u-1", xml: "<domain passwd='secret'/>" }, ADMIN);
  assert.deepEqual(recorded[0]?.input, { vmId: "u-1", xml: "(not recorded)" });
  assert.deepEqual(calls[0]?.[1], { vmId: "u-1", xml: "<domain passwd='secret'/>" });
});

Deno.test("dispatch() keeps no field that a schema marks as secret, in a valid input or another", async () => {
  const { dispatch, recorded } = dispatcher();
  const user = { name: "ann", password: "hunter-2", passwordHash: "$6$hunter-2" };
  const form = { users: [user], runCommands: ["echo hunter-2"] };
  await dispatch("set_cloud_init", { vmId: "u-1", cloudInit: { form } }, ADMIN);
  await dispatch("set_cloud_init", { vmId: "u-1", cloudInit: { userData: "hunter-2" } }, ADMIN);
  for (
    const cloudInit of [{ form: { users: [{ ...user, pasword: "hunter-2" }] } }, "hunter-2", ["hunter-2"], {
      userDate: "hunter-2",
    }]
  ) {
    await failing(dispatch("set_cloud_init", { vmId: "u-1", cloudInit }, ADMIN));
  }
  assert.equal(recorded.length, 6);
  assert.ok(!JSON.stringify(recorded).includes("hunter"), JSON.stringify(recorded));
  assert.match(JSON.stringify(recorded[0]?.input), /"name":"ann"/);
  assert.deepEqual(recorded[5]?.input, { vmId: "u-1" });
});

Deno.test("dispatch() keeps no secret of a skill: neither in its steps nor in the values that it is run with", async () => {
  const { dispatch, recorded } = dispatcher();
  const steps = [
    { command: "set_tags", input: { vmId: "{{vm}}", tags: ["kept"] } },
    { command: "guest_set_password", input: { vmId: "{{vm}}", user: "ann", password: "hunter-2" } },
    { command: "set_cloud_init", input: { vmId: "u-1", cloudInit: { userData: "#cloud-config hunter-2" } } },
  ];
  await dispatch("set_tool", { tool_type: "skill", name: "s", steps, parameters: ["vm"] }, ADMIN);
  const use = { project_id: "p", tool_name: "s" };
  await dispatch("run_skill", { ...use, parameters: { password: "hunter-2" } }, ADMIN);
  assert.equal(recorded.length, 2);
  assert.ok(!JSON.stringify(recorded).includes("hunter"), JSON.stringify(recorded));
  assert.match(JSON.stringify(recorded[0]?.input), /"tags":\["kept"\].*"user":"ann"/);
  assert.deepEqual(recorded[1]?.input, { ...use, parameters: "(not recorded)" });
  // A step of a command that there is not has its secrets under any name
  await dispatch("set_tool", {
    tool_type: "skill",
    name: "s",
    steps: [{ command: "no_such", input: { word: "hunter-2" } }],
  }, ADMIN);
  assert.match(JSON.stringify(recorded[2]?.input), /"input":"\(not recorded\)"/);
});

Deno.test("a command that begins a task, called twice at once, acts once; another input is another call", async () => {
  const names = (Object.keys(COMMANDS) as CommandName[]).filter((name) => joinsSame(COMMANDS[name]));
  assert.ok(names.length >= 15, names.join());
  for (const name of names) {
    const gate = Promise.withResolvers<void>();
    const { dispatch, calls } = dispatcher(async () => {
      await gate.promise;
      return answerOf(name);
    });
    const input = sampleOf(name);
    const both = [dispatch(name, input, ADMIN), dispatch(name, structuredClone(input), ADMIN)];
    await Promise.resolve();
    gate.resolve();
    const answers = await Promise.all(both);
    assert.equal(calls.length, 1, name);
    assert.equal(answers[0], answers[1], name);
    await dispatch(name, input, ADMIN);
    assert.equal(calls.length, 2, `${name}: afterwards it is meant again`);
  }
});

Deno.test("the same call of another person, or with other rights, is a call of its own", async () => {
  const rights = (names: string[], on: Grant["on"]): Rights => [[{ permissions: new Set(names), on }]];
  const everywhere = { kind: "everything" } as const, NEED = needOf("create_snapshot").permission;
  const callers: Principal[] = [
    { ...ADMIN, userId: "a" },
    { ...ADMIN, userId: "b", name: "b" },
    { ...ADMIN, userId: "a", via: "token" },
    { ...ADMIN, userId: "a", rights: [...ADMIN.rights, ...rights(["vms.view", NEED], everywhere)] },
    {
      ...ADMIN,
      userId: "a",
      rights: [...ADMIN.rights, ...rights(["vms.view", "vms.more", NEED], everywhere)],
    },
    {
      ...ADMIN,
      userId: "a",
      rights: [...ADMIN.rights, ...rights(["vms.view", NEED], { kind: "vm", vmId: "u-1" })],
    },
  ];
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const { dispatch, calls, recorded } = dispatcher(async () => {
    const isFirst = begun++ === 0;
    await gate.promise;
    if (isFirst) throw new ContractError("JobCancelled");
    return answerOf("create_snapshot");
  });
  const input = sampleOf("create_snapshot");
  const all = callers.map((caller) => dispatch("create_snapshot", input, caller));
  await Promise.resolve();
  gate.resolve();
  const outcomes = await Promise.allSettled(all);
  assert.equal(calls.length, callers.length);
  assert.deepEqual(
    outcomes.map(({ status }) => status === "fulfilled"),
    callers.map((_caller, at) => at > 0),
  );
  assert.equal(recorded.filter(({ result }) => result === "error").length, 1);
});

Deno.test("dispatch() names no host out of sight where a VM's id is several hosts'", async () => {
  const { dispatch } = dispatcher(undefined, true, {
    route: () => {
      throw new ContractError("VmOnSeveralHosts", { vmId: "u-9", hosts: "local, lab" });
    },
  });
  const told = (rights: Rights) => failing(dispatch("get_networks", {}, { ...ADMIN, rights }));
  assert.equal((await told(ADMIN.rights)).code, "VmOnSeveralHosts");
  const rights = [layerOf([{ role: "operator", on: { kind: "host", host: "local" } }], new Map())];
  const hidden = await told(rights);
  assert.equal(hidden.code, "VmNotFound");
  assert.doesNotMatch(JSON.stringify([hidden, hidden.message]), /\blab\b/);
});

/** Two hosts of libvirt's test driver in one process, whose things have names that nothing else has, and people with rights to one. */
import { localPrincipal } from "../../agent/testing.ts";
import { entry } from "../../agent/http/entry.ts";
import "../../fresh.gen.ts";
import type { Api } from "../../lib/contract/api.ts";
import { type Command, type CommandName, COMMANDS, type Grant } from "../../lib/contract/mod.ts";
import { app as pages } from "../../main.ts";
import { appHere } from "./app_here.ts";
import { testFolder } from "./folder.ts";

/** Id of the second host. */
export const LAB = "lab";
/** Objects of each host, by the host's id. */
export const THINGS = {
  local: {
    vmId: "71111111-1111-4111-8111-111111111111",
    vm: "payroll",
    network: "vaultnet",
    pool: "vaultpool",
  },
  [LAB]: {
    vmId: "72222222-2222-4222-8222-222222222222",
    vm: "greenhouse",
    network: "plantnet",
    pool: "seedpool",
  },
} as const;
export type HostId = keyof typeof THINGS;
export const HOST_IDS = ["local", LAB] as const satisfies readonly HostId[];
export const otherThan = (host: HostId): HostId => host === LAB ? "local" : LAB;

const nodeXml = (host: HostId, at: number) => {
  const { vmId, vm, network, pool } = THINGS[host];
  return `<node><domain type="test"><name>${vm}</name><uuid>${vmId}</uuid>
    <memory unit="MiB">64</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>
    <network><name>${network}</name><bridge name="testbr${at}"/><ip address="192.168.7${at}.1" netmask="255.255.255.0"/></network>
    <pool type="dir"><name>${pool}</name><target><path>/${pool}</path></target></pool></node>`;
};

/** Serves both hosts. @returns `as()` makes somebody with grants; asks as them by an API token, without a browser */
export async function hostRights() {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(await testFolder());
  const uris = await Promise.all(HOST_IDS.map(async (host, at) => {
    await Deno.writeTextFile(`${folder.path}/${host}.xml`, nodeXml(host, at));
    return `test://${folder.path}/${host}.xml`;
  }));
  const here = undo.use(await appHere([{ id: LAB, label: "Laboratory", uri: uris[1]! }], uris[0]));
  const { app } = here, answer = entry(app, pages.handler());
  const asRoot = app.apiFor(localPrincipal("socket")) as Api;
  const kept = undo.move();
  return {
    app,
    asRoot,
    uris,
    async as(name: string, grants: Grant[], picked: Grant[] = grants) {
      const { id: userId } = await asRoot.createUser({ name, grants });
      const { token } = await asRoot.createToken({ name: "test", userId, grants: picked });
      return personAt(answer, token, userId);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Somebody, by an API token. */
function personAt(answer: ReturnType<typeof entry>, token: string, userId: string) {
  const open = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${token}`);
    return await answer(new Request(`http://here${path}`, { ...init, headers }), "api", "127.0.0.1");
  };
  const call = async (name: CommandName, input: unknown = {}) => {
    const response = await open(`/api/v1/commands/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
    });
    return { status: response.status, head: response.headers, text: await response.text() };
  };
  /** The code of the refusal; `ok` for an answer. */
  const codeOf = async (name: CommandName, input: unknown): Promise<string> => {
    const { status, text } = await call(name, input);
    return status < 400 ? "ok" : (JSON.parse(text) as { code: string }).code;
  };
  /** Serves the pages to a browser as this person. */
  const serve = () => {
    const front = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${token}`);
      return answer(new Request(request, { headers }), "api", "127.0.0.1");
    });
    return {
      url: `http://127.0.0.1:${front.addr.port}`,
      [Symbol.asyncDispose]: () => front.shutdown(),
    };
  };
  return { userId, open, call, codeOf, serve };
}
export type PersonHere = ReturnType<typeof personAt>;

/** Commands that only read and need no field. */
export const askable = (): CommandName[] =>
  (Object.keys(COMMANDS) as CommandName[]).filter((name) => {
    const { readOnly, input, permission }: Command = COMMANDS[name];
    return readOnly && permission !== "anyone" &&
      ((input as { required?: string[] }).required ?? []).length === 0;
  });

/** The UNIX socket as real users of this host reach it: root, a group's member, somebody else. */
import assert from "node:assert/strict";
import { aloneWith } from "../testbed/alone.ts";
import { readyServer } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;

/** Calls a command over a socket (argv: socket, command, input); prints status and body, or why there is none. */
const CLIENT = `
import http.client, socket, sys
connection = http.client.HTTPConnection("localhost")
try:
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(sys.argv[1])
    connection.request("POST", "/api/v1/commands/" + sys.argv[2], sys.argv[3], {"content-type": "application/json"})
    answer = connection.getresponse()
    print(answer.status, answer.read().decode())
except (OSError, http.client.HTTPException) as error:
    print(0, type(error).__name__)
`;

/** Users and a group of this host, gone afterwards. */
async function people() {
  const group = `kvmmt${Deno.pid}g`, member = `kvmmt${Deno.pid}m`, other = `kvmmt${Deno.pid}o`;
  await using undo = new AsyncDisposableStack();
  await run(["groupadd", "--system", group]);
  undo.defer(async () => void await run(["groupdel", group]));
  for (const [name, groups] of [[member, ["--groups", group]], [other, []]] as const) {
    await run(["useradd", "--system", "--no-create-home", "--user-group", ...groups, name]);
    undo.defer(async () => void await run(["userdel", name]));
  }
  const cleanup = undo.move();
  return { group, member, other, [Symbol.asyncDispose]: () => cleanup.disposeAsync() };
}

Deno.test({
  name: "listenSocket() lets root and a group's members in, with the set role; other users get no answer",
  ignore,
  fn: async (t) => {
    using _accounts = await aloneWith("accounts");
    await using them = await people();
    await using server = await readyServer({
      uri: "test:///default",
      args: ["--socket-group", them.group, "--socket-role", "viewer"],
    });
    // The folder above is the testbed's, and root's alone like everything of it.
    const above = server.runtimeDir.replace(/\/[^/]+$/, "");
    await Deno.chmod(above, 0o711);
    const as = async (user: string, command: string, input: unknown = {}) => {
      const text = await run([
        ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--"],
        ...["/usr/bin/python3", "-c", CLIENT, server.socket, command, JSON.stringify(input)],
      ]);
      const [status = "", ...rest] = text.trim().split(" ");
      const body = rest.join(" ");
      return { status: Number(status), body: body.startsWith("{") ? JSON.parse(body) : body };
    };

    await t.step("the socket's group and mode follow the setting", async () => {
      const stat = await Deno.stat(server.socket);
      const gid = Number((await run(["getent", "group", them.group])).split(":")[2]);
      assert.deepEqual([stat.mode! & 0o777, stat.uid, stat.gid], [0o660, 0, gid]);
      assert.equal((await Deno.stat(server.runtimeDir)).mode! & 0o077 & ~0o055, 0, "no one may write there");
    });
    await t.step("root is an administrator", async () => {
      const { body } = await as("root", "get_session");
      assert.deepEqual([body.name, body.administrator, body.via], ["root", true, "socket"]);
      assert.equal((await as("root", "create_setup_link")).status, 200);
    });
    await t.step("a member is what the role says, by name, and no more", async () => {
      const { body } = await as(them.member, "get_session");
      assert.deepEqual([body.name, body.administrator, body.via], [`${them.member} (host)`, false, "socket"]);
      const [vm] = await server.call("get_vms") as { id: string }[];
      assert.equal((await as(them.member, "get_vm", { vmId: vm!.id })).status, 200);
      for (
        const [command, input] of [["force_stop_vm", { vmId: vm!.id }], ["create_setup_link", {}]] as const
      ) {
        const { status, body } = await as(them.member, command, input);
        assert.deepEqual([status, body.code], [403, "Forbidden"], command);
      }
    });
    await t.step("the audit names them", async () => {
      const [entry] = await server.call("get_audit_log", { actor: `${them.member} (host)`, limit: 1 }) as {
        door: string;
        result: string;
      }[];
      assert.deepEqual([entry?.door, entry?.result], ["socket", "error"]);
    });
    await t.step("somebody else cannot connect", async () => {
      assert.deepEqual(await as(them.other, "get_vms"), { status: 0, body: "PermissionError" });
    });
    await t.step("not even with the file's mode wide open: the kernel says who it is", async () => {
      await Deno.chmod(server.runtimeDir, 0o711);
      await Deno.chmod(server.socket, 0o666);
      const { status, body } = await as(them.other, "get_vms");
      assert.equal(status, 0);
      assert.match(body, /^(RemoteDisconnected|ConnectionResetError|BrokenPipeError)$/);
      assert.equal((await as(them.member, "get_connection_status")).status, 200);
    });
  },
});

Deno.test({
  name: "socketRule() for a group that this host does not have ends the start, and says what to do",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      const { code, stderr } = await new Deno.Command(await buildBinary(), {
        args: [
          ...["serve", "--demo"],
          ...["--listen", "127.0.0.1:0", "--socket-group", "no-such-group"],
        ],
      }).output();
      assert.equal(code, 1);
      assert.match(new TextDecoder().decode(stderr), /no group "no-such-group".*groupadd/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** The table of verbs that are no commands of the contract. */
import { COMMANDS, EVENTS } from "../lib/contract/mod.ts";
import type { Pages } from "../agent/http/entry.ts";
import { HOST_VERBS } from "./host_verbs.ts";
import { type OwnVerb, ownVerb } from "./own_verb.ts";
import { WAITED_FOR } from "./verb/waited_for.ts";

/** Shells that can complete. */
export const SHELL_NAMES = ["bash", "zsh", "fish"] as const;

/** Verbs by name; every other verb is a command of the contract. @param app what `serve` serves */
export function ownVerbs(app: () => Promise<Pages>): Readonly<Record<string, OwnVerb>> {
  const verbs: Readonly<Record<string, OwnVerb>> = {
    serve: ownVerb("serve this host's VMs in a browser", async () => {
      const { readServe, serve, SERVE_HELP } = await import("./serve.ts");
      return { help: SERVE_HELP, read: readServe, run: async (args) => await serve(args, await app()) };
    }),
    tui: ownVerb("show the VMs in this terminal, and act on them", async () => {
      const { readTui, TUI_HELP, tuiCommand } = await import("./tui/mod.ts");
      return { help: TUI_HELP, read: readTui, run: tuiCommand };
    }),
    call: ownVerb("carry out a command of the running server, JSON in and out", async () => {
      const { CALL_HELP, callCommand, readCall } = await import("./call.ts");
      return { help: CALL_HELP, read: readCall, run: callCommand };
    }, { words: Object.keys(COMMANDS) }),
    console: ownVerb("open a VM's serial console in this terminal", async () => {
      const { CONSOLE_HELP, consoleCommand, readConsole } = await import("./console.ts");
      return { help: CONSOLE_HELP, read: readConsole, run: consoleCommand };
    }, { takesVm: true }),
    "vm edit": ownVerb("edit a VM's libvirt XML in your editor", async () => {
      const { EDIT_HELP, editCommand, readEdit } = await import("./edit.ts");
      return { help: EDIT_HELP, read: readEdit, run: (args) => editCommand(args) };
    }, { takesVm: true }),
    "vm wait": ownVerb("wait until VMs are in a state, answer, or have an address", async () => {
      const { readWait, WAIT_HELP, waitCommand } = await import("./wait.ts");
      return { help: WAIT_HELP, read: readWait, run: waitCommand };
    }, { takesVm: true, words: WAITED_FOR }),
    "vm exec": ownVerb("run a program in a VM's guest", async () => {
      const { EXEC_HELP, execCommand, readExec } = await import("./guest_exec.ts");
      return { help: EXEC_HELP, read: readExec, run: execCommand };
    }, { takesVm: true }),
    "vm cp": ownVerb("copy a file or a folder into a VM's guest, or out of it", async () => {
      const { COPY_HELP, copyCommand, readCopy } = await import("./guest_copy.ts");
      return { help: COPY_HELP, read: readCopy, run: (args) => copyCommand(args) };
    }),
    "vm ssh-key": ownVerb("list, add or remove SSH keys in a VM's guest", async () => {
      const { readSshKey, SSH_KEY_HELP, sshKeyCommand } = await import("./guest_ssh_keys.ts");
      return { help: SSH_KEY_HELP, read: readSshKey, run: sshKeyCommand };
    }, { words: ["list", "add", "remove"] }),
    login: ownVerb("remember a server elsewhere, and an API token for it", async () => {
      const { login, LOGIN_HELP, readLogin } = await import("./login.ts");
      return { help: LOGIN_HELP, read: readLogin, run: (args) => login(args) };
    }),
    logout: ownVerb("forget a server", async () => {
      const { logout, LOGOUT_HELP, readLogout } = await import("./login.ts");
      return { help: LOGOUT_HELP, read: readLogout, run: logout };
    }),
    context: ownVerb("list servers, or say which verbs are for", async () => {
      const { context, CONTEXT_HELP, readContext } = await import("./login.ts");
      return { help: CONTEXT_HELP, read: readContext, run: context };
    }, { words: ["list", "use"] }),
    "host use": ownVerb("say which host verbs are for", async () => {
      const { HOST_USE_HELP, hostUse, readHostUse } = await import("./host_use.ts");
      return { help: HOST_USE_HELP, read: readHostUse, run: hostUse };
    }),
    events: ownVerb("follow what happens, as lines of JSON", async () => {
      const { events, EVENTS_HELP, readEvents } = await import("./follow.ts");
      return { help: EVENTS_HELP, read: readEvents, run: events };
    }, { words: Object.keys(EVENTS) }),
    mcp: ownVerb("speak MCP on standard input and output", async () => {
      const { MCP_HELP, mcpCommand, readMcp } = await import("./mcp.ts");
      return { help: MCP_HELP, read: readMcp, run: mcpCommand };
    }),
    openapi: ownVerb("print the description of the API", async () => {
      const { openapi, OPENAPI_HELP, readNothing } = await import("./openapi.ts");
      return { help: OPENAPI_HELP, read: readNothing, run: openapi };
    }),
    "grpc proto": ownVerb("print a .proto file of the API", async () => {
      const { GRPC_PROTO_HELP, grpcProto, readGrpcProto } = await import("./grpc_proto.ts");
      return { help: GRPC_PROTO_HELP, read: readGrpcProto, run: grpcProto };
    }, { words: ["kvmmanager", "mvirt"] }),
    completion: ownVerb("print what a shell needs to complete", async () => {
      const { completion, COMPLETION_HELP, readCompletion } = await import("./completion/mod.ts");
      return { help: COMPLETION_HELP, read: readCompletion, run: completion };
    }, { words: SHELL_NAMES }),
    man: ownVerb("print the manual page", async () => {
      const { man, MAN_HELP, readNothing } = await import("./man.ts");
      return { help: MAN_HELP, read: readNothing, run: (args) => man(args, verbs) };
    }),
    ...HOST_VERBS,
  };
  return verbs;
}

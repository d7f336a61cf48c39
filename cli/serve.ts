/** `kvm-manager serve`: the agent and its doors. */
import { join } from "node:path";
import { startAgent } from "../agent/mod.ts";
import { doorsOf } from "../agent/http/doors.ts";
import { type Answer, type Listener, listenSocket } from "../agent/http/server.ts";
import { socketRule } from "../agent/http/socket_peers.ts";
import { requestInfo } from "../agent/http/request_info.ts";
import { log, setLogLevel } from "../agent/log.ts";
import { readSettings, SettingsError, settingsHelp } from "../agent/settings.ts";
import { messageOf } from "../lib/message.ts";
import { VERSION } from "../lib/version.ts";
import { setBasePath } from "fresh/runtime";
import type { AppHandler } from "./app.ts";
import { SOCKET_FILE, where } from "./place.ts";

export const SERVE_HELP = () =>
  `Usage: kvm-manager serve [OPTIONS]\n\nServes this host's machines in a browser.\n\n${
    settingsHelp(where().root, where().env)
  }`;

/** Milliseconds a stop may take before the process ends all the same. */
const STOP_MS = 8000;

/** Runs until SIGTERM or SIGINT. */
export async function serve(args: readonly string[], app: AppHandler): Promise<number> {
  let settings;
  try {
    settings = readSettings(args, where());
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return wrongUsage(error);
  }
  // Whatever it makes is nobody else's to read: databases, keys, temporary files
  Deno.umask(0o077);
  setLogLevel(settings.logLevel);
  let doors;
  try {
    doors = await doorsOf(settings);
  } catch (error) {
    return wrongUsage(error);
  }
  const answer: Answer = (request, door, address, peer) => app(request, requestInfo(door, address, peer));
  const listeners: Listener[] = [];
  const agent = startAgent(settings);
  try {
    const { admit } = agent.consoles;
    listeners.push(...await doors.open(answer, admit));
    const rule = socketRule(settings.socketGroup, settings.socketRole);
    listeners.push(await listenSocket(join(settings.runtimeDir, SOCKET_FILE), answer, admit, rule));
  } catch (error) {
    console.error(`kvm-manager: ${messageOf(error)}`);
    await Promise.all(listeners.map((listener) => listener.close()));
    await agent.stop();
    return 1;
  }
  log.info("KVM Manager is ready", {
    version: VERSION,
    address: doors.addresses.join(" "),
    socket: listeners.at(-1)!.address,
    uri: settings.uri,
  });
  agent.doors = doors;
  setBasePath(doors.base);
  if (doors.certificates) {
    const { fingerprint, selfSigned } = doors.certificates.about;
    console.log(
      `TLS certificate${selfSigned ? " (nobody vouches for it: compare)" : ""}, SHA-256: ${fingerprint}`,
    );
    Deno.addSignalListener("SIGHUP", () => void doors.certificates?.check(true));
  }
  if (agent.access.needsSetup) {
    const { key } = agent.access.setup.issue();
    // On standard output, last: what logs are sent to must not open anything.
    console.log(`Make the first administrator within 15 minutes: ${doors.address}/setup?key=${key}`);
  }
  await stopSignal();
  log.info("stopping");
  const limit = setTimeout(() => {
    log.warn("the stop took too long");
    Deno.exit(1);
  }, STOP_MS);
  await Promise.all(listeners.map((listener) => listener.close()));
  await agent.stop();
  clearTimeout(limit);
  // A worker that hangs in libvirt would keep the process: there is nothing left to wait for.
  Deno.exit(0);
}

function wrongUsage(error: unknown): number {
  console.error(`kvm-manager: ${messageOf(error)}`);
  return 2;
}

function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, resolve);
  return promise;
}

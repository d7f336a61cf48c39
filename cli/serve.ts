/** `kvm-manager serve`: the agent and its doors. */
import { join } from "node:path";
import { startAgent } from "../agent/mod.ts";
import {
  type Answer,
  type Listener,
  listenSocket,
  listenTcp,
  loopbackAddress,
} from "../agent/http/server.ts";
import { socketRule } from "../agent/http/socket_peers.ts";
import { requestInfo } from "../agent/http/request_info.ts";
import { log, setLogLevel } from "../agent/log.ts";
import { readSettings, SettingsError, settingsHelp } from "../agent/settings.ts";
import { VERSION } from "../lib/version.ts";
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
  try {
    loopbackAddress(settings.listen);
  } catch (error) {
    return wrongUsage(error);
  }
  setLogLevel(settings.logLevel);
  const answer: Answer = (request, door, address, peer) => app(request, requestInfo(door, address, peer));
  const listeners: Listener[] = [];
  const agent = startAgent(settings);
  try {
    const { admit } = agent.consoles;
    listeners.push(await listenTcp(settings.listen, answer, {}, admit));
    const rule = socketRule(settings.socketGroup, settings.socketRole);
    listeners.push(await listenSocket(join(settings.runtimeDir, SOCKET_FILE), answer, admit, rule));
  } catch (error) {
    console.error(`kvm-manager: ${error instanceof Error ? error.message : error}`);
    await Promise.all(listeners.map((listener) => listener.close()));
    await agent.stop();
    return 1;
  }
  log.info("KVM Manager is ready", {
    version: VERSION,
    address: listeners[0]!.address,
    socket: listeners[1]!.address,
    uri: settings.uri,
  });
  agent.address = listeners[0]!.address;
  if (agent.access.needsSetup) {
    const { key } = agent.access.setup.issue();
    // On standard output, last: what logs are sent to must not open anything.
    console.log(`Make the first administrator within 15 minutes: ${agent.address}/setup?key=${key}`);
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
  console.error(`kvm-manager: ${error instanceof Error ? error.message : error}`);
  return 2;
}

function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, resolve);
  return promise;
}

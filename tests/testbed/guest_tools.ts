/** The guest tools for a server that runs from source: from the folder of the last build. */
import { join } from "node:path";
import { bundleAgents } from "../../scripts/guest_agents.ts";
import { PROJECT } from "../../scripts/project.ts";
import { ensurePackages } from "./packages.ts";
import { Unavailable } from "./unavailable.ts";

/** Builds them, unless they are in the cache. @throws {Unavailable} without Go, where it cannot be installed */
export async function ensureGuestTools(): Promise<void> {
  await ensurePackages("golang-go");
  if (!await bundleAgents(join(PROJECT, "dist", "bundle"))) {
    throw new Unavailable("golang-go is installed, but there is no go");
  }
}

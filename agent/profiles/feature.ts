/** Profiles: named sets of tools with permissions, for automation on projects. */
import type { profileCommands, toolCommands, toolUseCommands } from "../../lib/contract/mod.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import { FILE_TYPES } from "../../lib/storage/pool_types.ts";
import { feature } from "../feature.ts";
import { resolvedPath } from "../machine/resolved_path.ts";
import { ToolGuard } from "./guard.ts";
import { profileHandlers } from "./handlers.ts";
import { Hooks } from "./hooks.ts";
import { PROFILE_MIGRATIONS, ProfileRecords } from "./records.ts";
import { OutsideServers } from "./servers.ts";
import { projectToolHandlers } from "./project_tool_handlers.ts";
import { toolHandlers } from "./tool_handlers.ts";
import { toolUseHandlers } from "./tool_use_handlers.ts";
import type { UserRecord } from "../access/records.ts";
import type { Dispatch } from "../dispatch.ts";

/** Milliseconds between looks for what is kept of projects that are gone. */
const SWEEP_MS = 600_000;

export const profileFeature = feature<
  keyof typeof profileCommands | keyof typeof toolCommands | keyof typeof toolUseCommands
>({
  name: "profiles",
  migrations: PROFILE_MIGRATIONS,
  open: (app) => {
    const { projects, store, clock, hosts, hub, access: { accounts, credentials } } = app;
    const project = (projectId: string) => projects.rows.get(projectId);
    const resolved = (path: string) => resolvedPath(hosts.local.machine, path);
    const records = new ProfileRecords(store);
    const poolAt = (pool: string) => {
      const xml = hosts.local.inventory.storage.record(pool)?.xml;
      return xml === undefined ? undefined : describePool(xml);
    };
    const guard = new ToolGuard({
      records,
      projectOf: (vmId) => projects.projectOf(vmId),
      projectId: (named) => projects.rows.all().find(({ id, name }) => id === named || name === named)?.id,
      resolved,
      directoryOf: (pool) => poolAt(pool)?.path,
      fileOf: (volume) => {
        const slash = volume.indexOf("/"), pool = poolAt(volume.slice(0, slash));
        return pool?.path === undefined || !FILE_TYPES.has(pool.type)
          ? undefined
          : `${pool.path}/${volume.slice(slash + 1)}`;
      },
      vmInBin: (entryId) => app.bin.get(entryId)?.vmId,
      // Where libvirt is on another machine, its paths are not known here either
      isElsewhere: (command, input, on) =>
        hosts.local.machine === null ||
        app.places.hostOf(input) !== LOCAL_HOST ||
        app.linked.of(command, input, { via: "session" }, on) !== undefined,
      mcp: () => app.mcp.get().settings.current,
    });
    // What an account had before ends: its streams and consoles ask again
    const refresh = () => credentials.interrupt(guard.refresh());
    records.follow(refresh);
    accounts.boundOf = (userId) => guard.boundOf(userId);
    app.guardTools.give((...call) => guard.check(...call));
    app.toldLimits.give((...call) => guard.toldLimits(...call));
    const forget = (projectId: string) => {
      records.projects.remove(projectId);
      refresh();
    };
    projects.onDeleted = forget;
    const hooks = new Hooks({
      toolsOf: (projectId) => guard.toolsOf(projectId),
      tool: (name) => records.tool("hook", name),
      projectOf: (vmId) => {
        const id = projects.projectOf(vmId);
        return id === undefined ? undefined : project(id);
      },
      vm: (vmId) => app.vm(vmId),
      programs: app.settings.hookPrograms,
      resolved,
      clock,
      record: (entry) => void app.activity.record(entry),
    });
    const following = hub.follow(hooks.follow);
    const servers = new OutsideServers();
    const requireProject = (named: string) => projects.require(named);
    const profiles = { records, requireProject, project, clock };
    const tools = {
      records,
      guard,
      servers,
      requireProject,
      project,
      user: (named: string) => accounts.users.get(named) ?? accounts.named(named),
      isAdministrator: ({ grants }: UserRecord) => accounts.layer(grants) === "all",
      dispatch: (...call: Parameters<Dispatch>) => app.dispatch(...call),
      jobs: app.jobs,
      programs: app.settings.hookPrograms,
    };
    return {
      handlers: {
        ...profileHandlers(profiles),
        ...projectToolHandlers(profiles),
        ...toolHandlers(tools),
        ...toolUseHandlers(tools),
      },
      periodic: [{
        name: "tools of projects",
        every: () => SWEEP_MS,
        run: () => {
          if (!projects.rows.isRead) return Promise.resolve();
          records.projects.all().filter(({ id }) => project(id) === undefined).forEach(({ id }) =>
            forget(id)
          );
          return Promise.resolve();
        },
      }],
      stop: () => {
        following[Symbol.dispose]();
        hooks.stop();
        servers.stop();
      },
    };
  },
});

import { page } from "fresh";
import { signal } from "@preact/signals";
import { type GuestAnswers, GuestSystem, GuestTables } from "../../../components/guest/GuestFacts.tsx";
import { GuestAgents } from "../../../components/guest/GuestAgents.tsx";
import {
  GUEST_VIEWS,
  GuestMore,
  type GuestView,
  type GuestViewAnswer,
} from "../../../components/guest/GuestMore.tsx";
import { GuestFiles, type OpenFolder } from "../../../components/guest/GuestFiles.tsx";
import { FrozenNote, MissingAbilities, NoAgent } from "../../../components/guest/GuestState.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import GuestExec from "../../../islands/GuestExec.tsx";
import type { AgentStatus, CommandName, GuestAbility } from "../../../lib/contract/mod.ts";
import { guest as texts } from "../../../lib/i18n/en/guest.ts";
import { t as shared, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { failureOf } from "../../../lib/text/failure.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(texts);

const can = ({ abilities }: AgentStatus, ability: GuestAbility) =>
  abilities.some((each) => each.ability === ability && each.available);

/** Answers of the guest agent. One read for all of them; a failed one does not fail the others. */
async function toldOf(api: PageState["api"], status: AgentStatus, vmId: string): Promise<GuestAnswers> {
  const ask = async <T,>(ability: GuestAbility, read: () => Promise<T>): Promise<T | null> =>
    can(status, ability) ? await read().catch(() => null) : null;
  const [info, interfaces, filesystems, users] = await Promise.all([
    ask("info", () => api.guestGetInfo({ vmId })),
    ask("network", () => api.guestGetNetworkInfo({ vmId })),
    ask("filesystems", () => api.guestGetDiskUsage({ vmId })),
    ask("users", () => api.guestGetUsers({ vmId })),
  ]);
  return { info, interfaces, filesystems, users };
}

const COMMAND_OF = {
  metrics: "guest_get_metrics",
  processes: "guest_get_processes",
  services: "guest_get_services",
  packages: "guest_get_packages",
  security: "guest_get_security",
  metadata: "guest_get_metadata",
} as const satisfies Record<GuestView, CommandName>;

/** Packages that are listed: those that wait for an upgrade. */
const MOST_PACKAGES = 500;

async function moreOf(api: PageState["api"], vmId: string, view: GuestView): Promise<GuestViewAnswer> {
  try {
    switch (view) {
      case "metrics":
        return { view, metrics: await api.guestGetMetrics({ vmId }) };
      case "processes":
        return { view, ...await api.guestGetProcesses({ vmId }) };
      case "services":
        return { view, services: await api.guestGetServices({ vmId }) };
      case "packages":
        return {
          view,
          packages: await api.guestGetPackages({ vmId, upgradesOnly: true, limit: MOST_PACKAGES }),
        };
      case "security":
        return { view, security: await api.guestGetSecurity({ vmId }) };
      case "metadata":
        return { view, metadata: await api.guestGetMetadata({ vmId }) };
    }
  } catch (error) {
    return { view, failure: failureOf(error).why };
  }
}

async function folderOf(
  api: PageState["api"],
  vmId: string,
  path: string | null,
): Promise<OpenFolder | null> {
  if (path === null || path === "") return null;
  try {
    return { path, list: await api.guestListFiles({ vmId, path }), failure: null };
  } catch (error) {
    return { path, list: null, failure: failureOf(error).why };
  }
}

export const handler = define.handlers({
  async GET(ctx) {
    const { api, may } = ctx.state;
    const vm = await vmOf(ctx), { id: vmId, group } = vm;
    const status = await api.guestAgentStatus({ vmId }).catch(fail);
    const mayFiles = may("guest_list_files", { vmId, group }) && can(status, "files");
    const views = GUEST_VIEWS.filter((view) => can(status, view) && may(COMMAND_OF[view], { vmId, group }));
    const view = views.find((each) => each === ctx.url.searchParams.get("show"));
    const [told, more, folder] = await Promise.all([
      toldOf(api, status, vmId),
      view === undefined ? null : moreOf(api, vmId, view),
      mayFiles ? folderOf(api, vmId, ctx.url.searchParams.get("path")) : null,
    ]);
    const mayExec = may("guest_exec", { vmId, group }) && can(status, "exec");
    const mayControl = may("guest_control_service", { vmId, group }) && can(status, "service-control");
    const maySet = may("guest_set_metadata", { vmId, group });
    const mayInsert = may("insert_guest_tools", { vmId, group });
    const mayInstall = may("install_guest_agent", { vmId, group });
    const rights = { mayFiles, mayExec, mayControl, maySet, mayInsert, mayInstall };
    return page({ vm, status, told, more, views, folder, ...rights, now: Date.now() });
  },
});

/** Page of a VM's guest system. */
export default define.page<typeof handler>(function Guest({ data, state }) {
  const { vm, status, told, more, views, folder, mayFiles, mayExec, mayInsert, mayInstall, now } = data;
  const at = `/vms/${encodeURIComponent(vm.id)}/guest`;
  return (
    <VmPage
      vm={signal(vm)}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${shared("vm.tab_guest")}`}
      at="/guest"
    >
      <div class="guest-page">
        {status.frozenUntil !== undefined && <FrozenNote vmId={vm.id} until={status.frozenUntil} at={at} />}
        {!status.connected
          ? (
            <Panel title={t("guest.agent")}>
              <NoAgent vm={vm} status={status} />
            </Panel>
          )
          : (
            <>
              <div class="guest-facts">
                {status.frozenUntil === undefined && <GuestSystem info={told.info} />}
                <GuestTables told={told} />
              </div>
              <GuestMore
                told={more}
                vmId={vm.id}
                page={at}
                views={views}
                mayControl={data.mayControl}
                maySet={data.maySet}
                refused={state.refused}
              />
              {mayExec && <GuestExec vmId={vm.id} at={at} refused={state.refused} />}
              {mayFiles && <GuestFiles vmId={vm.id} folder={folder} />}
            </>
          )}
        <GuestAgents vm={vm} status={status} at={at} mayInsert={mayInsert} mayInstall={mayInstall} />
        {status.connected && <MissingAbilities status={status} />}
      </div>
    </VmPage>
  );
});

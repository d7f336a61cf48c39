import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../components/kit/DataTable.tsx";
import { CheckField, TextField } from "../components/kit/Field.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import MaintenanceState from "../islands/MaintenanceState.tsx";
import {
  DRAIN_ACTIONS,
  type Input,
  type Maintenance,
  type MaintenancePlan,
  MOVE_LIMIT,
} from "../lib/contract/mod.ts";
import { maintenance as texts } from "../lib/i18n/en/maintenance.ts";
import { t as common, textsOf } from "../lib/i18n/mod.ts";
import { STATES } from "../lib/vm/state.ts";
import { define, type PageState } from "../lib/page_state.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { textIn } from "../lib/text/form_fields.ts";
import { formHref } from "../lib/text/form_href.ts";
import { formatMemory, formatPercent } from "../lib/text/quantity.ts";
import { refusalAt } from "../lib/text/refused_form.ts";
import { oneLine } from "../lib/text/text.ts";
import { fail, unlessAway } from "./(_shared)/fail.ts";
import { postedForm } from "./(_shared)/form.ts";

const { t } = textsOf(texts);
const AT = "/maintenance";
/** Before the id of a VM in the name of its field. */
const CHOICE = "vm:";

type Choices = Pick<Input<"start_maintenance">, "vms" | "off" | "breakRules">;

/** Choices for VMs in a form; a value is `leave`, `move` or `move kvm2`. */
function choicesIn(form: URLSearchParams | FormData): Choices {
  const vms = [...form].flatMap(([name, value]) => {
    if (!name.startsWith(CHOICE)) return [];
    const [word, toHost] = String(value).split(" ");
    const action = DRAIN_ACTIONS.find((each) => each === word);
    // What was not chosen is as the plan says
    if (action === undefined) return [];
    return [{ vmId: name.slice(CHOICE.length), action, ...(toHost && { toHost }) }];
  });
  return {
    ...(vms.length > 0 && { vms }),
    ...(form.has("off") && { off: "move" as const }),
    ...(form.has("breakRules") && { breakRules: true }),
  };
}

interface Shown {
  readonly maintenance: Maintenance;
  readonly plan: MaintenancePlan | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly choices: Choices;
  readonly failure: Failure | null;
  /** As it was typed. */
  readonly reason: string;
}

async function shown(
  { api, may }: PageState,
  choices: Choices,
  { failure = null, reason = "" }: Partial<Pick<Shown, "failure" | "reason">> = {},
): Promise<Shown> {
  const [maintenance, hosts] = await Promise.all([api.getMaintenance({}), api.listHosts()]).catch(fail);
  const isPlanned = may("plan_maintenance") && (maintenance.state === "off" || maintenance.state === "on");
  return {
    maintenance,
    choices,
    failure,
    reason,
    plan: isPlanned ? await api.planMaintenance(choices).catch(unlessAway) : null,
    labels: Object.fromEntries(hosts.map(({ id, label }) => [id, label])),
  };
}

export const handler = define.handlers({
  async GET({ state, url: { searchParams } }) {
    // The plan is asked for by the form, too
    return page(await shown(state, choicesIn(searchParams), { reason: searchParams.get("reason") ?? "" }));
  },
  /** Each VM has a choice of its own. */
  async POST(ctx) {
    const form = await postedForm(ctx.req), choices = choicesIn(form), typed = textIn(form, "reason");
    const reason = typed.trim();
    try {
      await ctx.state.api.startMaintenance({
        ...choices,
        ...(reason !== "" && { reason }),
        drain: form.get("do") !== "only",
      });
      return ctx.redirect(AT, 303);
    } catch (error) {
      const failure = failureOf(error);
      const again = await shown(ctx.state, choices, { failure, reason: typed });
      return page(again, { status: failure.status });
    }
  },
});

/** Value of a VM's choice: empty, or the action and its host. */
const chosen = ({ vms = [] }: Choices, vmId: string): string => {
  const found = vms.find((vm) => vm.vmId === vmId);
  return found === undefined ? "" : [found.action, found.toHost].filter(Boolean).join(" ");
};

/** Whether a VM of the plan runs, or is paused. */
/** A state in words, where it is one of a VM's. */
const wordOf = (state: string): string =>
  Object.entries(STATES).filter(([known]) => known === state).map(([, { word }]) => common(word))[0] ?? state;

const isOn = ({ state }: Pick<MaintenancePlan["vms"][number], "state">) =>
  state === "running" || state === "paused";

/** Field that chooses the action for one VM. */
function Choice({ vm: { vmId, name, action, toHost, state }, plan, choices, labels }: {
  vm: MaintenancePlan["vms"][number];
  plan: MaintenancePlan;
  choices: Choices;
  labels: Readonly<Record<string, string>>;
}) {
  const own = chosen(choices, vmId), label = (id: string) => oneLine(labels[id] ?? id, 40);
  const planned = action === "move" && toHost !== undefined
    ? t("maintenance.move_to", { host: label(toHost) })
    : t(`maintenance.action.${action}`);
  const options = [
    ["", own === "" ? t("maintenance.automatic", { action: planned }) : t("maintenance.move_best")],
    ...plan.hosts.map(({ id }) => [`move ${id}`, t("maintenance.move_to", { host: label(id) })]),
    ...isOn({ state }) ? [["shutdown", t("maintenance.action.shutdown")]] : [],
    ["leave", t("maintenance.action.leave")],
  ] as const;
  return (
    <select
      class="input"
      name={`${CHOICE}${vmId}`}
      aria-label={t("maintenance.choice_of", { name: oneLine(name, 60) })}
    >
      {options.map(([value, text]) => (
        <option key={value} value={value} selected={value === own}>{text}</option>
      ))}
    </select>
  );
}

/** Planned outcome for each VM and for the hosts that they move to. */
function Plan(
  { plan, choices, labels }: {
    plan: MaintenancePlan;
    choices: Choices;
    labels: Readonly<Record<string, string>>;
  },
) {
  const { hosts, away, warnings, vms } = plan;
  return (
    <>
      {warnings.map((text) => <Flash key={text} tone="warn">{oneLine(text, 400)}</Flash>)}
      <DataTable
        label={t("maintenance.plan")}
        rows={vms}
        keyOf={({ vmId }) => vmId}
        empty={<p class="pad text-muted">{t("maintenance.plan_none")}</p>}
        attributesOf={({ name, action }) => ({ "data-planned": name, "data-action": action })}
        columns={[
          { title: t("maintenance.vm"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
          { title: t("maintenance.state"), cell: ({ state }) => wordOf(state) },
          {
            title: t("maintenance.memory"),
            kind: "number",
            cell: ({ memoryMb }) => formatMemory(memoryMb),
          },
          { title: t("maintenance.action"), cell: (vm) => <Choice {...{ vm, plan, choices, labels }} /> },
          {
            title: t("maintenance.notes"),
            fit: "wrap",
            cell: ({ obstacles, warnings: notes }) => {
              const told = [...obstacles, ...notes];
              return told.length === 0 ? null : (
                <span class="stack">
                  {told.map((text) => <span key={text}>{oneLine(text, 400)}</span>)}
                </span>
              );
            },
          },
        ]}
      />
      {hosts.length + away.length > 0 && (
        <DataTable
          label={t("maintenance.hosts")}
          rows={[
            ...hosts.map((host) => ({ ...host, reason: null })),
            ...away.map((host) => ({ ...host, vms: 0 })),
          ]}
          keyOf={({ id }) => id}
          columns={[
            { title: t("maintenance.host"), cell: ({ label }) => <bdi>{oneLine(label, 60)}</bdi> },
            { title: t("maintenance.host_vms"), kind: "number", cell: ({ vms }) => vms },
            {
              title: t("maintenance.host_memory"),
              cell: (host) =>
                "memoryFreeMb" in host
                  ? t("maintenance.host_memory_after", {
                    free: formatMemory(host.memoryFreeMb),
                    left: formatMemory(Math.max(0, host.memoryLeftMb)),
                    total: formatMemory(host.memoryTotalMb),
                  })
                  : null,
            },
            {
              title: t("maintenance.host_cpu"),
              kind: "number",
              cell: (host) =>
                "cpuUsagePercent" in host && host.cpuUsagePercent !== null
                  ? formatPercent(host.cpuUsagePercent)
                  : null,
            },
            {
              title: t("maintenance.notes"),
              fit: "wrap",
              cell: ({ reason }) => reason === null ? null : oneLine(reason, 300),
            },
          ]}
        />
      )}
    </>
  );
}

/** The forms that a host in maintenance has. */
function Running({ maintenance: { state } }: { maintenance: Maintenance }) {
  if (state === "off") return null;
  const isBusy = state !== "on";
  return (
    <Panel title={t("maintenance.end")}>
      {isBusy
        ? (
          <form class="form-actions" method="post" action={formHref("stop_drain", {}, AT)}>
            <button type="submit" class="button">{t("maintenance.stop")}</button>
          </form>
        )
        : (
          <>
            <p class="pad">{t("maintenance.end_what")}</p>
            <div class="form-actions">
              <form method="post" action={formHref("end_maintenance", { bringBack: false }, AT)}>
                <button type="submit" class="button">{t("maintenance.end_only")}</button>
              </form>
              <form method="post" action={formHref("end_maintenance", {}, AT)}>
                <button type="submit" class="button primary">{t("maintenance.end")}</button>
              </form>
            </div>
          </>
        )}
    </Panel>
  );
}

/** A host's maintenance: the plan before it, what happens in it, and the way back. */
export default define.page<typeof handler>(function MaintenancePage({ data, state }) {
  const { maintenance, plan, choices, labels, failure, reason } = data;
  const title = t("maintenance.title", { host: oneLine(labels[state.host] ?? state.hostname, 60) });
  const isOff = maintenance.state === "off";
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <Flash tone="bad" failure={failure} />
      <div class="settings-page">
        <MaintenanceState maintenance={maintenance} labels={labels} />
        {maintenance.state === "on" && plan !== null && !plan.vms.some(isOn) && (
          <Flash tone="ok" title={t("maintenance.empty")} />
        )}
        {state.may("end_maintenance") && <Running maintenance={maintenance} />}
        {plan !== null && (
          <Panel title={t("maintenance.plan")}>
            <p class="pad text-muted">{t("maintenance.off_what")}</p>
            <form method="post">
              <Plan plan={plan} choices={choices} labels={labels} />
              <div class="form-grid pad">
                {isOff && (
                  <TextField
                    name="reason"
                    label={t("maintenance.reason")}
                    hint={t("maintenance.reason_hint")}
                    maxLength={200}
                    defaultValue={reason}
                  />
                )}
                <CheckField
                  name="off"
                  label={t("maintenance.off_vms")}
                  defaultChecked={choices.off === "move"}
                />
                <CheckField
                  name="breakRules"
                  label={t("maintenance.break_rules")}
                  defaultChecked={choices.breakRules === true}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button" formMethod="get">{t("maintenance.look")}</button>
                {isOff && (
                  <button type="submit" class="button" name="do" value="only">
                    {t("maintenance.start_only")}
                  </button>
                )}
                <button type="submit" class="button primary" name="do" value="drain">
                  {t(isOff ? "maintenance.start" : "maintenance.go_on")}
                </button>
              </div>
            </form>
          </Panel>
        )}
        {state.may("update_move_limits") && (
          <Panel title={t("maintenance.limit")}>
            <form method="post" action={formHref("update_move_limits", {}, AT)}>
              <div class="form-grid pad">
                <TextField
                  name="movesAtOnce"
                  type="number"
                  min={MOVE_LIMIT.least}
                  max={MOVE_LIMIT.most}
                  required
                  label={t("maintenance.limit")}
                  hint={t("maintenance.limit_hint")}
                  error={refusalAt(state.refused, "update_move_limits", "movesAtOnce")}
                  defaultValue={String(maintenance.movesAtOnce)}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button">{t("maintenance.limit_save")}</button>
              </div>
            </form>
          </Panel>
        )}
      </div>
    </>
  );
});

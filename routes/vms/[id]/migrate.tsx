import { page } from "fresh";
import { Head } from "fresh/runtime";
import { HostChoices } from "../../../components/host/HostChoices.tsx";
import { CheckField, SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import type { HostStatus, MigrationPlan, Network, StoragePool, VM } from "../../../lib/contract/mod.ts";
import { MIGRATION_COMPRESSIONS } from "../../../lib/contract/migration.ts";
import { migrate as texts } from "../../../lib/i18n/en/migrate.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { formatBytes, formatMemory, formatRate } from "../../../lib/text/quantity.ts";
import { formatSpan } from "../../../lib/text/time.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { MIGRATION_FIELDS, migrationInput } from "../../../lib/vm/migration_form.ts";
import { ownNetworks } from "../../../lib/vm/own_networks.ts";
import { disksAtRest } from "../../../lib/vm/manage.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { fail, unlessAway } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { begin } from "../../(_shared)/long_work.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t } = textsOf(texts);

/** Milliseconds the form waits for the end of the move: a refusal comes by then. */
const SOON_MS = 2500;

/** Whether a VM can move at all: one whose memory is saved cannot. */
const canMove = (vm: VM) => disksAtRest(vm) || (vm.persistent && isLive(vm));

/** Plan and resources of the chosen host. */
interface Chosen {
  readonly host: HostStatus;
  readonly plan: MigrationPlan | null;
  readonly pools: readonly StoragePool[];
  readonly networks: readonly Network[];
}

interface Shown {
  readonly vm: VM;
  /** Hosts that it may move to: linked ones, those reached by libvirt alone, and the local one where it is not there. */
  readonly hosts: readonly HostStatus[];
  /** Hosts of which one is reached by libvirt alone carry no VM that runs. */
  readonly isByLibvirt: boolean;
  readonly chosen: Chosen | null;
  readonly typed: Readonly<Record<string, string>>;
  readonly failure: Failure | null;
}

async function chosenOf(
  { api }: PageState,
  { id: vmId }: VM,
  host: HostStatus,
): Promise<Chosen & { failure: Failure | null }> {
  const at = { host: host.id };
  const [pools, networks] = await Promise.all([
    api.getStoragePools(at).catch(unlessAway),
    api.getNetworks(at).catch(unlessAway),
  ]);
  const usable = (pools ?? []).filter(({ state, fixed }) => state === "running" && !fixed);
  const known = { host, pools: usable, networks: (networks ?? []).filter(({ active }) => active) };
  try {
    return { ...known, plan: await api.getMigrationPlan({ vmId, toHost: host.id }), failure: null };
  } catch (error) {
    return { ...known, plan: null, failure: failureOf(error) };
  }
}

/** Whether a host has KVM Manager: it runs here, or is linked. */
const hasManager = (host: HostStatus | undefined) => host?.isLocal === true || host?.linked !== undefined;

/** Text on the effect of a move. */
function whatText({ vm, isByLibvirt }: Pick<Shown, "vm" | "isByLibvirt">): string {
  if (isByLibvirt) return t(isLive(vm) ? "migrate.what_live_by_libvirt" : "migrate.what_by_libvirt");
  return t(isLive(vm) ? "migrate.what" : "migrate.what_off");
}

async function shown(
  state: PageState,
  vm: VM,
  toHost: string | null,
  { typed = {}, failure = null }: Partial<Pick<Shown, "typed" | "failure">> = {},
): Promise<Shown> {
  const all = await state.api.listHosts().catch(fail);
  const own = all.find(({ id }) => id === vm.host) ?? all.find(({ isLocal }) => isLocal);
  // Another KVM Manager moves its VMs by its own links alone
  const isLinked = own?.linked !== undefined;
  const hosts = all.filter((host) =>
    host !== own && (!isLinked || host.isLocal || host.linked !== undefined)
  );
  const host = hosts.find(({ id }) => id === toHost);
  const chosen = host === undefined || !canMove(vm) ? null : await chosenOf(state, vm, host);
  const ends = host === undefined ? hosts : [host];
  const isByLibvirt = ends.length > 0 && (!hasManager(own) || !ends.some(hasManager));
  return { vm, hosts, isByLibvirt, chosen, typed, failure: failure ?? chosen?.failure ?? null };
}

export const handler = define.handlers({
  async GET(ctx) {
    return page(await shown(ctx.state, await vmOf(ctx), ctx.url.searchParams.get("toHost")));
  },
  async POST(ctx) {
    const vm = await vmOf(ctx), form = await postedForm(ctx.req), { api } = ctx.state;
    const input = migrationInput(form, vm.id);
    try {
      const begun = await begin(api, "migrate_vm", SOON_MS, () => api.migrateVm(input));
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { warnings } = begun.result;
      ctx.state.notify({ is: "done", word: "migrate_vm", name: vm.name, warnings });
      return ctx.redirect(`/vms/${encodeURIComponent(vm.id)}`, 303);
    } catch (error) {
      const failure = failureOf(error);
      const again = await shown(ctx.state, vm, input.toHost, { typed: typedFields(form), failure });
      return page(again, { status: failure.status });
    }
  },
});

/** Speed of the link, memory that the guest changes, and estimated duration of the move, as a text. */
function estimateText(
  { lineBytesPerSecond, dirtyBytesPerSecond, seconds }: NonNullable<MigrationPlan["estimate"]>,
): string {
  const line = formatRate(lineBytesPerSecond);
  const time = seconds === undefined ? t("migrate.no_end") : formatSpan(seconds * 1000);
  return dirtyBytesPerSecond === undefined
    ? t("migrate.estimate", { time, line })
    : t("migrate.estimate_dirty", { time, line, dirty: formatRate(dirtyBytesPerSecond) });
}

/** Findings of the plan, problems before warnings. */
function Findings({ plan }: { plan: MigrationPlan }) {
  const { findings, possible, memoryMb, follows, estimate } = plan, canChoose = canBeChosen(plan);
  const of = (level: "problem" | "warning") => findings.filter((each) => each.level === level);
  const list = (level: "problem" | "warning") => (
    <ul>{of(level).map(({ text }) => <li key={text}>{text}</li>)}</ul>
  );
  return (
    <>
      {of("problem").length > 0 && (
        <Flash
          tone={canChoose ? "warn" : "bad"}
          title={t(canChoose ? "migrate.choose" : "migrate.problems")}
        >
          {list("problem")}
        </Flash>
      )}
      {of("warning").length > 0 && <Flash tone="warn" title={t("migrate.warnings")}>{list("warning")}</Flash>}
      {possible && (
        <Flash tone="ok" title={t("migrate.possible")} quiet>
          <p>
            {memoryMb > 0 ? t("migrate.memory", { memory: formatMemory(memoryMb) }) : t("migrate.stays_off")}
          </p>
          {estimate !== undefined && <p>{estimateText(estimate)}</p>}
          {follows.length > 0 && (
            <p>{t("migrate.follows", { things: follows.map((name) => oneLine(name, 80)).join(", ") })}</p>
          )}
        </Flash>
      )}
    </>
  );
}

/** Fields for the target pools of disks and the target networks of network interfaces. */
function Places({ vm, chosen: { plan, pools, networks }, typed }: {
  vm: VM;
  chosen: Chosen & { plan: MigrationPlan };
  typed: Shown["typed"];
}) {
  return (
    <div class="device-grid">
      {plan.disks.filter(({ shared }) => shared).map(({ target }) => (
        <p key={target} class="wide">{t("migrate.disk_shared", { target })}</p>
      ))}
      {plan.disks.filter(({ shared }) => !shared).map(({ target, pool, sizeBytes = 0 }) => {
        const name = `${MIGRATION_FIELDS.pool}${target}`;
        return (
          <SelectField
            key={name}
            name={name}
            label={t("migrate.disk_pool", { target, size: formatBytes(sizeBytes) })}
            value={typed[name] ?? pool ?? ""}
            choices={pools.map(({ name: value, availableBytes = 0 }) => ({
              value,
              label: t("migrate.pool_choice", {
                pool: oneLine(value, 40),
                free: formatBytes(availableBytes),
              }),
            }))}
          />
        );
      })}
      {ownNetworks(vm).map((network) => {
        const name = `${MIGRATION_FIELDS.network}${network}`,
          isThere = networks.some((each) => each.name === network);
        return (
          <SelectField
            key={name}
            name={name}
            label={t("migrate.network_of", { network: oneLine(network, 40) })}
            value={typed[name] ?? ""}
            choices={[
              ...isThere ? [{ value: "", label: t("migrate.network_same") }] : [],
              ...networks.filter((each) => each.name !== network).map((each) => ({
                value: each.name,
                label: oneLine(each.name, 40),
              })),
            ]}
          />
        );
      })}
      <TextField
        name="bandwidthMib"
        type="number"
        min={1}
        label={t("migrate.bandwidth")}
        hint={t("migrate.bandwidth_hint")}
        suffix="MiB/s"
        defaultValue={typed.bandwidthMib ?? ""}
      />
    </div>
  );
}

/** How the memory of a VM that runs is sent. */
function LiveOptions({ typed }: Pick<Shown, "typed">) {
  return (
    <>
      <CheckField
        name="slowGuest"
        label={t("migrate.slow_guest")}
        hint={t("migrate.slow_guest_hint")}
        defaultChecked={typed.toHost === undefined || typed.slowGuest !== undefined}
      />
      <details>
        <summary>{t("migrate.more")}</summary>
        <div class="device-grid">
          <TextField
            name="maxDowntimeMs"
            type="number"
            min={1}
            max={60_000}
            label={t("migrate.downtime")}
            hint={t("migrate.downtime_hint")}
            suffix="ms"
            defaultValue={typed.maxDowntimeMs ?? ""}
          />
          <TextField
            name="connections"
            type="number"
            min={2}
            max={16}
            label={t("migrate.connections")}
            hint={t("migrate.connections_hint")}
            defaultValue={typed.connections ?? ""}
          />
          <SelectField
            name="compression"
            label={t("migrate.compression")}
            hint={t("migrate.compression_hint")}
            value={typed.compression ?? ""}
            choices={[
              { value: "", label: t("migrate.compression_none") },
              ...MIGRATION_COMPRESSIONS.map((value) => ({ value, label: value })),
            ]}
          />
          <TextField
            name="directTo"
            maxLength={253}
            pattern="[A-Za-z0-9][A-Za-z0-9.:\\-]*"
            label={t("migrate.direct")}
            hint={t("migrate.direct_hint")}
            defaultValue={typed.directTo ?? ""}
          />
        </div>
      </details>
    </>
  );
}

/** Problems that a choice in the form does away with. */
const CHOSEN: ReadonlySet<string> = new Set([
  "no-network",
  "snapshot-memory",
  "snapshot-image",
  "image-apart",
  "image-pool",
]);
/** Whether the form has a choice for all that is in the way. */
const canBeChosen = ({ findings }: MigrationPlan) =>
  findings.every(({ level, check }) => level === "warning" || CHOSEN.has(check));

/** Reason why the form cannot be used. */
function Obstacle({ vm, hosts }: Pick<Shown, "vm" | "hosts">) {
  if (!canMove(vm)) return <Flash tone="warn">{t("migrate.not_running")}</Flash>;
  if (hosts.length > 0) return null;
  return (
    <Empty icon="network" title={t("migrate.none")}>
      <p>{t("migrate.none_what")}</p>
      <a class="button" href="/settings/hosts">{t("migrate.hosts")}</a>
    </Empty>
  );
}

/** Moving a VM to another host: first where to, then how. */
export default define.page<typeof handler>(function Migrate({ data }) {
  const { vm, hosts, chosen, typed, failure } = data;
  const here = `/vms/${encodeURIComponent(vm.id)}`;
  const title = t("migrate.title", { name: oneLine(vm.name, 60) });
  const canChoose = hosts.length > 0 && canMove(vm);
  const plan = chosen?.plan ?? null, isReady = plan !== null && canBeChosen(plan);
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method={chosen === null ? "get" : "post"}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{whatText(data)}</p>
          <Flash tone="bad" failure={failure} />
          <Obstacle vm={vm} hosts={hosts} />
          {canChoose && chosen === null && <HostChoices legend={t("migrate.to")} hosts={hosts} />}
          {chosen !== null && (
            <>
              <h2>{t("migrate.to_host", { host: oneLine(chosen.host.label, 60) })}</h2>
              <input type="hidden" name="toHost" value={chosen.host.id} />
              {plan !== null && <Findings plan={plan} />}
              {plan !== null && isReady && <Places vm={vm} chosen={{ ...chosen, plan }} typed={typed} />}
              {isReady && (
                <>
                  {isLive(vm) && <LiveOptions typed={typed} />}
                  {!isLive(vm) && (
                    <CheckField
                      name="dropSnapshots"
                      label={t("migrate.drop_snapshots")}
                      hint={t("migrate.drop_snapshots_hint")}
                      defaultChecked={typed.dropSnapshots !== undefined}
                    />
                  )}
                  {plan.findings.some(({ check }) => check === "placement") && (
                    <CheckField name="breakRules" label={t("migrate.break_rules")} required />
                  )}
                  <CheckField
                    name="keepDisks"
                    label={t("migrate.keep_disks")}
                    hint={t("migrate.keep_disks_hint")}
                    defaultChecked={typed.keepDisks !== undefined}
                  />
                </>
              )}
            </>
          )}
        </div>
        <footer class="dialog-foot">
          {chosen !== null && <a class="button" href={`${here}/migrate`}>{t("migrate.other_host")}</a>}
          <span class="text-muted grow" />
          <a class="button" href={here}>{t("migrate.cancel")}</a>
          {canChoose && (
            <button type="submit" class="button primary" disabled={chosen !== null && !isReady}>
              {t(chosen === null ? "migrate.look" : "migrate.do")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});

import CopyText from "../../islands/CopyText.tsx";
import { type HostCluster, type LockManager, MOST_HOST_NUMBER } from "../../lib/contract/mod.ts";
import { lockManager as texts } from "../../lib/i18n/en/lock_manager.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Fact } from "../kit/Fact.tsx";
import { CheckField, TextField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t, plural } = textsOf(texts);
type Key = PlainKeyOf<typeof texts>;

const SET = "set_lock_manager";
/** Characters of a name that another host says. */
const SHOWN = 80;
const shown = (text: string) => oneLine(text, SHOWN);

const DRIVERS: Readonly<Record<LockManager["driver"], Key>> = {
  none: "lock_manager.driver_none",
  lockd: "lock_manager.driver_lockd",
  sanlock: "lock_manager.driver_sanlock",
  unknown: "lock_manager.driver_unknown",
};
/** Effects of turning virtlockd on, in the order of their weight. */
const MEANS = [
  "lock_manager.on_means_leases",
  "lock_manager.on_means_daemon",
  "lock_manager.on_means_restart",
  "lock_manager.on_means_pause",
  "lock_manager.on_means_all",
  "lock_manager.on_means_files",
] as const;
/** The same of sanlock. */
const SANLOCK_MEANS = [
  "lock_manager.sanlock_means_reset",
  "lock_manager.sanlock_means_leases",
  "lock_manager.sanlock_means_all",
  "lock_manager.sanlock_means_files",
] as const;

function placeText({ lockspace, lockspaceShared }: LockManager): string {
  if (lockspace === null) return t("lock_manager.lockspace_none");
  return lockspaceShared === false ? t("lock_manager.lockspace_local", { folder: lockspace }) : lockspace;
}

/** Present protection of the host's disks. */
export function LockManagerNow({ state }: { state: LockManager }) {
  const { driver, daemon, leases, runningVms, fault, hostNumber = null } = state,
    isOn = driver === "lockd" || driver === "sanlock";
  return (
    <Panel title={t("lock_manager.now")}>
      <p class="text-muted">{t("lock_manager.what")} {t("lock_manager.docs")}</p>
      {fault !== null && <Flash tone="bad">{fault}</Flash>}
      <dl class="description-list">
        <Fact label={t("lock_manager.driver")}>{t(DRIVERS[driver])}</Fact>
        {isOn && (
          <>
            <Fact label={t("lock_manager.daemon")}>
              {t(daemon ? "lock_manager.daemon_on" : "lock_manager.daemon_off")}
            </Fact>
            <Fact label={t("lock_manager.lockspace")}>{placeText(state)}</Fact>
            {driver === "sanlock" && (
              <Fact label={t("lock_manager.host_number")}>
                {hostNumber === null ? "–" : number(hostNumber)}
              </Fact>
            )}
            <Fact label={t("lock_manager.leases")}>{leases === null ? "–" : number(leases)}</Fact>
          </>
        )}
        <Fact label={t("lock_manager.running")}>{number(runningVms)}</Fact>
      </dl>
    </Panel>
  );
}

/** Disks that others may write to. */
export function SharedDisks({ state: { sharedDisks } }: { state: LockManager }) {
  const storageText = ({ storage, shareable, guarded }: LockManager["sharedDisks"][number]) =>
    !guarded
      ? t("lock_manager.unguarded", { storage: shown(storage) })
      : shareable
      ? t("lock_manager.shareable", { storage: shown(storage) })
      : shown(storage);
  return (
    <Panel title={t("lock_manager.shared")}>
      <DataTable
        label={t("lock_manager.shared")}
        rows={sharedDisks}
        keyOf={({ vm, target }) => `${vm} ${target}`}
        empty={t("lock_manager.shared_none")}
        columns={[
          { title: t("lock_manager.vm"), fit: "wrap", cell: ({ vm }) => <bdi>{shown(vm)}</bdi> },
          { title: t("lock_manager.disk"), cell: ({ target }) => target },
          { title: t("lock_manager.storage"), fit: "wrap", cell: storageText },
        ]}
      />
    </Panel>
  );
}

/** Lock managers of linked hosts; nothing without linked hosts. */
export function LinkedLocks({ state: { others } }: { state: LockManager }) {
  if (others.length === 0) return null;
  return (
    <Panel title={t("lock_manager.others")}>
      <DataTable
        label={t("lock_manager.others")}
        rows={others}
        keyOf={({ host }) => host}
        columns={[
          { title: t("lock_manager.host"), fit: "wrap", cell: ({ host }) => <bdi>{shown(host)}</bdi> },
          {
            title: t("lock_manager.driver"),
            fit: "wrap",
            cell: ({ driver, lockspace }) =>
              driver === null
                ? t("lock_manager.no_answer")
                : t(DRIVERS[driver]) + (lockspace === null ? "" : ` (${shown(lockspace)})`),
          },
          {
            title: t("lock_manager.common"),
            fit: "wrap",
            cell: ({ storage }) => storage === null ? t("lock_manager.common_none") : shown(storage),
          },
        ]}
      />
    </Panel>
  );
}

/** Texts of the form of a driver that can be turned on. */
const TURN_ON = {
  lockd: {
    on: "lock_manager.turn_on",
    off: "lock_manager.turn_off",
    means: MEANS,
    hint: "lock_manager.lockspace_hint",
    whileRunning: "lock_manager.while_running",
  },
  sanlock: {
    on: "lock_manager.turn_on_sanlock",
    off: "lock_manager.turn_off_sanlock",
    means: SANLOCK_MEANS,
    hint: "lock_manager.sanlock_lockspace_hint",
    whileRunning: "lock_manager.sanlock_while_running",
  },
} as const;

interface ChangeProps {
  readonly state: LockManager;
  readonly refused: RefusedForm | null;
  readonly at: string;
}

/** Forms that change it: of the driver that is on, or of those that can be turned on. */
export function ChangeLockManager(props: ChangeProps) {
  const { driver, sanlock } = props.state;
  if (driver === "unknown") return null;
  if (driver !== "none") return <ChangeDriver {...props} chosen={driver} />;
  return (
    <>
      <ChangeDriver {...props} chosen="lockd" />
      {sanlock?.plugin === true && <ChangeDriver {...props} chosen="sanlock" />}
    </>
  );
}

/** A form that changes it: what it means first, what has to be allowed, and the button. */
function ChangeDriver(
  { state, refused, at, chosen }: ChangeProps & { readonly chosen: keyof typeof TURN_ON },
) {
  const { driver, obstacle, runningVms, lockspace, hostNumber = null } = state, isOn = driver === chosen;
  const words = TURN_ON[chosen];
  const typed = typedAgain(refused, SET), errorAt = (field: string) => refusalAt(refused, SET, field);
  const ticked = (field: string) => typed?.[field] === "yes";
  const restart = (
    <CheckField
      label={t("lock_manager.restart")}
      name="restart"
      value="yes"
      defaultChecked={ticked("restart")}
      error={errorAt("restart")}
      wide
    />
  );
  return (
    <>
      <Panel title={t(isOn ? "lock_manager.change" : words.on)}>
        {words.means.map((key) => <p key={key}>{t(key)}</p>)}
        {obstacle !== null
          ? <Obstacle reason={obstacle} />
          : (
            <form method="post" action={formHref(SET, { driver: chosen }, at)}>
              <div class="form-grid">
                <TextField
                  label={t("lock_manager.lockspace")}
                  hint={t(words.hint)}
                  name="lockspace"
                  defaultValue={typed?.lockspace ?? lockspace ?? ""}
                  error={errorAt("lockspace")}
                  wide
                />
                {chosen === "sanlock" && (
                  <TextField
                    label={t("lock_manager.host_number")}
                    hint={t("lock_manager.host_number_hint")}
                    name="hostNumber"
                    type="number"
                    min={1}
                    max={MOST_HOST_NUMBER}
                    required
                    defaultValue={typed?.hostNumber ?? (hostNumber === null ? "" : String(hostNumber))}
                    error={errorAt("hostNumber")}
                    wide
                  />
                )}
                {restart}
                {!isOn && runningVms > 0 && (
                  <CheckField
                    label={plural(words.whileRunning, runningVms)}
                    name="whileRunning"
                    value="yes"
                    defaultChecked={ticked("whileRunning")}
                    error={errorAt("whileRunning")}
                    wide
                  />
                )}
              </div>
              <div class="form-actions">
                <button type="submit" class="button primary">
                  {t(isOn ? "lock_manager.change" : words.on)}
                </button>
              </div>
            </form>
          )}
      </Panel>
      {isOn && obstacle === null && (
        <Panel title={t(words.off)}>
          <p>{t("lock_manager.off_means")}</p>
          <form method="post" action={formHref(SET, { driver: "none" }, at)}>
            <div class="form-grid">{restart}</div>
            <div class="form-actions">
              <button type="submit" class="button danger">{t(words.off)}</button>
            </div>
          </form>
        </Panel>
      )}
    </>
  );
}

/** Why it cannot be changed from the page, with the command that does it. */
function Obstacle({ reason }: { reason: string }) {
  const [, command] = /(kvm-manager lock-manager .*)$/.exec(reason) ?? [];
  return (
    <>
      <Flash tone="warn">{t("lock_manager.obstacle", { reason })}</Flash>
      {command !== undefined && (
        <p class="health-command">
          <span class="text-muted">{t("lock_manager.as_root")}</span> <code>{command}</code>
          <CopyText text={command} what={t("lock_manager.command")} />
        </p>
      )}
    </>
  );
}

const yesNo = (is: boolean) => t(is ? "cluster.yes" : "cluster.no");

function nodeState({ online, standby, unclean }: HostCluster["nodes"][number]): string {
  if (unclean) return t("cluster.unclean");
  if (!online) return t("cluster.offline");
  return t(standby ? "cluster.standby" : "cluster.online");
}

function roleText({ role, failed, managed }: HostCluster["resources"][number]): string {
  if (failed) return t("cluster.failed", { role: shown(role) });
  return managed ? shown(role) : t("cluster.unmanaged", { role: shown(role) });
}

/** A Pacemaker cluster that the host is in; nothing where none is known. */
export function ClusterPanel({ cluster }: { cluster: HostCluster }) {
  const { installed, error, nodes, resources, quorum, fencing } = cluster;
  if (!installed) return null;
  const vms = resources.flatMap(({ vm }) => vm === null ? [] : [shown(vm)]);
  return (
    <Panel title={t("cluster.title")}>
      {error !== null ? <p class="text-muted">{t("cluster.error", { reason: error })}</p> : (
        <>
          {vms.length > 0 && (
            <Flash tone="warn">{t("cluster.warning", { vms: vms.slice(0, 20).join(", ") })}</Flash>
          )}
          <dl class="description-list">
            <Fact label={t("cluster.quorum")}>{yesNo(quorum)}</Fact>
            <Fact label={t("cluster.fencing")}>{yesNo(fencing)}</Fact>
            <Fact label={t("cluster.nodes")}>
              <span class="stack">
                {nodes.map((node) => (
                  <span key={node.name}>
                    <bdi>{shown(node.name)}</bdi>: {nodeState(node)}
                  </span>
                ))}
              </span>
            </Fact>
          </dl>
          <DataTable
            label={t("cluster.resources")}
            rows={resources}
            keyOf={({ id }) => id}
            columns={[
              {
                title: t("cluster.resource"),
                fit: "wrap",
                cell: ({ id, agent }) => (
                  <span class="stack">
                    <bdi>{shown(id)}</bdi>
                    <span class="text-muted mono">{shown(agent)}</span>
                  </span>
                ),
              },
              {
                title: t("lock_manager.vm"),
                fit: "wrap",
                cell: ({ vm }) => vm === null ? "–" : <bdi>{shown(vm)}</bdi>,
              },
              { title: t("cluster.role"), cell: roleText },
              {
                title: t("cluster.on"),
                fit: "wrap",
                cell: (each) => each.nodes.map(shown).join(", ") || "–",
              },
            ]}
          />
        </>
      )}
    </Panel>
  );
}

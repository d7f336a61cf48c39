import { page } from "fresh";
import { signal } from "@preact/signals";
import { Empty } from "../../../components/kit/Empty.tsx";
import { CheckField, SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { RelativeTime } from "../../../components/kit/RelativeTime.tsx";
import { SnapshotTree, STATE_WORDS } from "../../../components/vm/SnapshotTree.tsx";
import { VmPage } from "../../../components/vm/VmPage.tsx";
import type { Snapshot, SnapshotList, VM } from "../../../lib/contract/mod.ts";
import { snapshots as texts } from "../../../lib/i18n/en/snapshots.ts";
import { t as shared, textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { formatMemory } from "../../../lib/text/quantity.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { descendants } from "../../../lib/vm/snapshot_tree.ts";
import { fail } from "../../(_shared)/fail.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const { t, plural } = textsOf(texts);

/** Confirmation that the page asks for before something is lost. */
interface Asked {
  readonly what: "revert" | "delete";
  readonly snapshot: Snapshot;
}

function askedIn(params: URLSearchParams, snapshots: readonly Snapshot[]): Asked | null {
  for (const what of ["revert", "delete"] as const) {
    const snapshot = snapshots.find(({ name }) => name === params.get(what));
    if (snapshot) return { what, snapshot };
  }
  return null;
}

export const handler = define.handlers({
  async GET(ctx) {
    const vm = await vmOf(ctx);
    const list = await ctx.state.api.listSnapshots({ vmId: vm.id }).catch(fail);
    return page({ vm, list, asked: askedIn(ctx.url.searchParams, list.snapshots), now: Date.now() });
  },
});

/** The question before a revert or a deletion. */
function Question({ asked: { what, snapshot }, snapshots, vmId, at, now }: {
  asked: Asked;
  snapshots: readonly Snapshot[];
  vmId: string;
  at: string;
  now: number;
}) {
  const name = oneLine(snapshot.name, 60), isRevert = what === "revert";
  const children = descendants(snapshots, snapshot.name).length;
  return (
    <Panel title={t(isRevert ? "snapshots.revert_title" : "snapshots.delete_title", { name })}>
      <form
        method="post"
        action={formHref(
          isRevert ? "revert_snapshot" : "delete_snapshot",
          { vmId, name: snapshot.name, confirmed: "yes" },
          at,
        )}
      >
        <p class="pad">
          {isRevert
            ? snapshot.external
              ? t("snapshots.revert_lost_external")
              : t("snapshots.revert_lost", { state: t(STATE_WORDS[snapshot.state]) })
            : `${t("snapshots.delete_what")} ${snapshot.external ? t("snapshots.delete_merges") : ""}`}
        </p>
        {isRevert && snapshot.loses !== undefined && (
          <div class="pad">
            {plural("snapshots.revert_deletes", snapshot.loses.length)}
            <ul class="snapshot-images">
              {snapshot.loses.map((path) => (
                <li key={path}>
                  <code>{oneLine(path, 300)}</code>
                </li>
              ))}
            </ul>
          </div>
        )}
        <p class="pad text-muted">
          {t("snapshots.taken")} <RelativeTime at={snapshot.createdAt} now={now} />
        </p>
        {!isRevert && children > 0 && (
          <div class="form-grid">
            <CheckField
              label={plural("snapshots.delete_children", children)}
              name="children"
              value="yes"
              wide
            />
          </div>
        )}
        <div class="form-actions">
          <button type="submit" class="button danger">
            {t(isRevert ? "snapshots.revert" : "snapshots.delete")}
          </button>
          <a class="button" href={at}>{t("snapshots.cancel")}</a>
        </div>
      </form>
    </Panel>
  );
}

/** The images that the disks are made of. */
function Chains({ chains }: { chains: NonNullable<SnapshotList["chains"]> }) {
  return (
    <Panel title={t("snapshots.chain_title")}>
      <p class="pad text-muted">{t("snapshots.chain_what")}</p>
      {chains.map(({ target, images }) => (
        <div class="pad" key={target}>
          <strong>{t("snapshots.chain_of", { target })}</strong>
          <ol class="snapshot-images">
            {images.map(({ path, snapshots }, index) => (
              <li key={path}>
                <code>{oneLine(path, 300)}</code>
                {index === 0 && <span class="tag">{t("snapshots.chain_head")}</span>}
                {snapshots.map((name) => (
                  <span class="tag" key={name}>
                    {t("snapshots.chain_snapshot", { name: oneLine(name, 60) })}
                  </span>
                ))}
              </li>
            ))}
          </ol>
        </div>
      ))}
    </Panel>
  );
}

/** The id of the form for a new one. */
const TAKE = "take-snapshot";

/** The form for a new one, or why there can be none. */
function TakeSnapshot({ vm, list: { hindrance, withMemory, external, quiesces }, at, refused }: {
  vm: VM;
  list: SnapshotList;
  at: string;
  refused: RefusedForm | null;
}) {
  const typed = typedAgain(refused, "create_snapshot");
  return (
    <Panel title={t("snapshots.take")}>
      {hindrance !== undefined
        ? <p class="pad">{t("snapshots.not_now", { reason: hindrance })}</p>
        : (
          <form id={TAKE} method="post" action={formHref("create_snapshot", { vmId: vm.id }, at)}>
            <div class="form-grid">
              <TextField
                label={t("snapshots.name")}
                hint={t("snapshots.name_hint")}
                name="name"
                maxLength={64}
                defaultValue={typed?.name ?? ""}
                error={refusalAt(refused, "create_snapshot", "name")}
              />
              <TextField
                label={t("snapshots.description")}
                name="description"
                maxLength={1000}
                defaultValue={typed?.description ?? ""}
              />
              {withMemory && (
                <SelectField
                  label={t("snapshots.memory")}
                  hint={t("snapshots.memory_hint")}
                  name="memory"
                  value={typed?.memory ?? "yes"}
                  choices={[
                    { value: "yes", label: t("snapshots.disks_and_memory") },
                    { value: "no", label: t("snapshots.no_memory") },
                  ]}
                />
              )}
            </div>
            <div class="form-actions">
              <button type="submit" class="button primary">{t("snapshots.take")}</button>
              <span class="text-muted">
                {withMemory
                  ? t("snapshots.stands_still", { memory: formatMemory(vm.memoryMb) })
                  : external !== undefined
                  ? `${t("snapshots.external_because", { reason: external })} ${
                    quiesces ? t("snapshots.quiesces") : ""
                  }`
                  : t("snapshots.disks_alone")}
              </span>
            </div>
          </form>
        )}
    </Panel>
  );
}

/** A VM's snapshots. */
export default define.page<typeof handler>(function Snapshots({ data: { vm, list, asked, now }, state }) {
  const at = `/vms/${vm.id}/snapshots`;
  return (
    <VmPage
      vm={signal(vm)}
      state={state}
      now={now}
      title={`${oneLine(vm.name, 60)} · ${shared("vm.tab_snapshots")}`}
      at="/snapshots"
    >
      <div class="snapshots-page">
        {asked !== null && (
          <Question asked={asked} snapshots={list.snapshots} vmId={vm.id} at={at} now={now} />
        )}
        <Panel
          title={t("snapshots.title")}
          aside={list.snapshots.length > 0 && list.hindrance === undefined && (
            <a href={`#${TAKE}`}>{t("snapshots.take")}</a>
          )}
        >
          {list.snapshots.length === 0
            ? (
              <Empty icon="disc" title={t("snapshots.none")}>
                {list.hindrance === undefined && <p>{t("snapshots.none_what")}</p>}
              </Empty>
            )
            : <SnapshotTree snapshots={list.snapshots} at={at} now={now} />}
        </Panel>
        {list.chains !== undefined && <Chains chains={list.chains} />}
        <TakeSnapshot vm={vm} list={list} at={at} refused={state.refused} />
        <Flash tone="info">{t("snapshots.what")}</Flash>
      </div>
    </VmPage>
  );
});

import { page } from "fresh";
import { Head } from "fresh/runtime";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { CheckField, SelectField } from "../../components/kit/Field.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";
import type { HostStatus, MigrationPlan, VM } from "../../lib/contract/mod.ts";
import { move as texts } from "../../lib/i18n/en/move.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { oneLine } from "../../lib/text/text.ts";
import { MOST_MOVED } from "../../lib/vm/move_href.ts";
import { fail } from "../(_shared)/fail.ts";
import { postedForm } from "../(_shared)/form.ts";

const { t, plural } = textsOf(texts);

/** VMs that are checked at once. */
const CHECKS_AT_ONCE = 3;

/** Result of the check of a move. */
interface Check {
  readonly plan?: MigrationPlan;
  readonly failure?: string;
}

interface Shown {
  readonly vms: readonly VM[];
  readonly hosts: readonly HostStatus[];
  readonly to: HostStatus | undefined;
  readonly checks: Readonly<Record<string, Check>>;
  readonly failures: Readonly<Record<string, string>>;
  readonly failure: Failure | null;
}

async function shown(
  { api }: PageState,
  vmIds: readonly string[],
  toHost: string | null,
  told: Partial<Pick<Shown, "failure" | "failures">> = {},
): Promise<Shown> {
  const [all, every] = await Promise.all([api.getVms(), api.listHosts()]).catch(fail);
  const wanted = new Set(vmIds.slice(0, MOST_MOVED)), vms = all.filter(({ id }) => wanted.has(id));
  const hosts = every.filter(({ isLocal, linked }) => !isLocal && linked !== undefined);
  const to = hosts.find(({ id }) => id === toHost), checks: Record<string, Check> = {};
  if (to !== undefined) {
    await forEachConcurrent(CHECKS_AT_ONCE, vms, async ({ id: vmId }) => {
      try {
        checks[vmId] = { plan: await api.getMigrationPlan({ vmId, toHost: to.id }) };
      } catch (error) {
        checks[vmId] = { failure: failureOf(error).why };
      }
    });
  }
  return { vms, hosts, to, checks, failures: {}, failure: null, ...told };
}

export const handler = define.handlers({
  async GET({ state, url: { searchParams } }) {
    return page(await shown(state, searchParams.getAll("vm"), searchParams.get("toHost")));
  },
  /** Each VM has a result of its own. */
  async POST(ctx) {
    const form = await postedForm(ctx.req), { api } = ctx.state;
    const vmIds = form.getAll("vm").map(String), toHost = textIn(form, "toHost");
    try {
      const { results, failed } = await api.batchMigrateVms({
        vmIds,
        toHost,
        ...(form.has("breakRules") && { breakRules: true }),
      });
      if (failed === 0) return ctx.redirect("/tasks", 303);
      const refused = results.filter(({ success }) => !success);
      const failures = Object.fromEntries(refused.map(({ vmId, error }) => [vmId, error?.message ?? ""]));
      const left = await shown(ctx.state, refused.map(({ vmId }) => vmId), toHost, { failures });
      return page(left, { status: 409 });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(ctx.state, vmIds, toHost, { failure }), { status: failure.status });
    }
  },
});

const isAgainstRules = ({ plan }: Check) =>
  plan?.findings.some(({ check }) => check === "placement") === true;

/** Notes on a VM's move, obstacles first. */
function Notes({ check, failure }: { check: Check | undefined; failure: string | undefined }) {
  const findings = check?.plan?.findings ?? [];
  const bad = [
    failure,
    check?.failure,
    ...findings.filter(({ level }) => level === "problem").map(({ text }) => text),
  ]
    .filter((text) => text !== undefined);
  const warnings = findings.filter(({ level }) => level === "warning").map(({ text }) => text);
  if (bad.length + warnings.length === 0) return <span class="text-muted">{t("move.possible")}</span>;
  return (
    <span class="stack">
      {bad.map((text) => <span key={text} class="error-text">{oneLine(text, 400)}</span>)}
      {warnings.map((text) => <span key={text}>{oneLine(text, 400)}</span>)}
    </span>
  );
}

/** Several VMs to another host: where to, then what is in the way of each. */
export default define.page<typeof handler>(function MoveVms({ data }) {
  const { vms, hosts, to, checks, failures, failure } = data, title = plural("move.title", vms.length);
  const isAny = vms.some(({ id }) => checks[id]?.plan?.possible === true);
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method={to === undefined ? "get" : "post"}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("move.what")}</p>
          <Flash tone="bad" failure={failure} />
          {vms.map(({ id }) => <input key={id} type="hidden" name="vm" value={id} />)}
          {hosts.length === 0
            ? (
              <Empty icon="network" title={t("move.none")}>
                <p>{t("move.none_what")}</p>
              </Empty>
            )
            : to === undefined
            ? (
              <SelectField
                name="toHost"
                label={t("move.to")}
                value={hosts.find(({ status, maintenance }) => status === "connected" && !maintenance)?.id ??
                  ""}
                choices={hosts.map(({ id: value, label, status, maintenance }) => ({
                  value,
                  label: oneLine(label, 60),
                  unavailable: status !== "connected"
                    ? t("move.away")
                    : maintenance === undefined
                    ? undefined
                    : t("move.maintenance"),
                }))}
              />
            )
            : <input type="hidden" name="toHost" value={to.id} />}
          {to !== undefined && (
            <>
              <h2>{t("move.to_host", { host: oneLine(to.label, 60) })}</h2>
              <DataTable
                label={title}
                rows={vms}
                keyOf={({ id }) => id}
                attributesOf={({ name }) => ({ "data-moved": name })}
                columns={[
                  { title: t("move.vm"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
                  {
                    title: t("move.notes"),
                    fit: "wrap",
                    cell: ({ id }) => <Notes check={checks[id]} failure={failures[id]} />,
                  },
                ]}
              />
              {vms.some(({ id }) => isAgainstRules(checks[id] ?? {})) && (
                <CheckField name="breakRules" label={t("move.break_rules")} />
              )}
            </>
          )}
        </div>
        <footer class="dialog-foot">
          <span class="text-muted grow" />
          <a class="button" href="/vms">{t("move.cancel")}</a>
          {hosts.length > 0 && vms.length > 0 && (
            <button type="submit" class="button primary" disabled={to !== undefined && !isAny}>
              {t(to === undefined ? "move.look" : "move.do")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});

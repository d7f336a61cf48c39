import { page } from "fresh";
import { Head } from "fresh/runtime";
import { HostChoices } from "../../../components/host/HostChoices.tsx";
import { Empty } from "../../../components/kit/Empty.tsx";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import type { HostStatus, StoragePool } from "../../../lib/contract/mod.ts";
import { templates as texts } from "../../../lib/i18n/en/templates.ts";
import { volumeCopyPage } from "../../../lib/i18n/en/volume_copy.ts";
import { t as common, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { copyTemplateHref, templateHref } from "../../../lib/template/describe.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { fail } from "../../(_shared)/fail.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { begin } from "../../(_shared)/long_work.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";

const { t } = textsOf(texts), copy = textsOf(volumeCopyPage);

/** Milliseconds the form waits for the end of the copy: a refusal comes by then. */
const SOON_MS = 2500;

/** The pools of a host whose volumes are files. */
async function poolsOf({ api }: PageState, host: string): Promise<StoragePool[]> {
  const pools = await api.getStoragePools({ host });
  return pools.filter(({ state, fixed }) => state === "running" && !fixed);
}

async function shown(
  state: PageState,
  templateId: string,
  toHost: string | null,
  { typed = {}, failure = null }: { typed?: Readonly<Record<string, string>>; failure?: Failure | null } = {},
) {
  const [template, all] = await Promise.all([
    state.api.getTemplate({ templateId }).catch(fail),
    state.api.listHosts().catch(fail),
  ]);
  const hosts = all.filter(({ id, status, linked, isLocal }) =>
    id !== state.host && status !== "disabled" && (isLocal || linked !== undefined)
  );
  const host = hosts.find(({ id }) => id === toHost), about = { template, hosts, typed };
  if (host === undefined) return { ...about, chosen: null, failure };
  try {
    return { ...about, chosen: { host, pools: await poolsOf(state, host.id) }, failure };
  } catch (error) {
    return { ...about, chosen: null, failure: failure ?? failureOf(error) };
  }
}

export const handler = define.handlers({
  async GET({ state, url, params }) {
    return page(await shown(state, params.id ?? "", url.searchParams.get("toHost")));
  },
  async POST(ctx) {
    const { state, params } = ctx, form = await postedForm(ctx.req), templateId = params.id ?? "";
    const text = (name: string) => String(form.get(name) ?? "");
    const toHost = text("toHost"), toPool = text("toPool"), name = text("name");
    const input = { templateId, toHost, ...(toPool && { toPool }), ...(name && { name }) };
    try {
      const begun = await begin(
        state.api,
        "copy_template_to_host",
        SOON_MS,
        () => state.api.copyTemplateToHost(input),
      );
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { name, warnings } = begun.result;
      state.notify({ is: "done", word: "copy_template_to_host", name, warnings });
      return ctx.redirect(templateHref(templateId), 303);
    } catch (error) {
      const failure = failureOf(error);
      const again = await shown(state, templateId, toHost, { typed: typedFields(form), failure });
      return page(again, { status: failure.status });
    }
  },
});

/** Fields for the pool and the name on the chosen host. */
function Place({ name, pool, chosen: { host, pools }, typed }: {
  name: string;
  pool: string | undefined;
  chosen: { readonly host: HostStatus; readonly pools: readonly StoragePool[] };
  typed: Readonly<Record<string, string>>;
}) {
  const same = pools.find((each) => each.name === pool) ?? pools[0];
  if (same === undefined) {
    return <Flash tone="warn">{copy.t("volume_copy.no_pool", { host: oneLine(host.label, 60) })}</Flash>;
  }
  return (
    <div class="device-grid">
      <SelectField
        name="toPool"
        label={copy.t("volume_copy.pool")}
        value={typed.toPool ?? same.name}
        choices={pools.map(({ name: value, availableBytes = 0 }) => ({
          value,
          label: copy.t("volume_copy.pool_choice", {
            pool: oneLine(value, 40),
            free: formatBytes(availableBytes),
          }),
        }))}
      />
      <TextField
        name="name"
        label={t("templates.copy_name")}
        required
        maxLength={64}
        defaultValue={typed.name ?? name}
      />
    </div>
  );
}

/** Copying a template to another host: first where to, then how. */
export default define.page<typeof handler>(function CopyTemplate({ data }) {
  const { template: { id, name, versions }, hosts, chosen, typed, failure } = data;
  const title = t("templates.copy_title", { name: oneLine(name, 60) });
  const isReady = chosen !== null && chosen.pools.length > 0;
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method={chosen === null ? "get" : "post"}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("templates.copy_how")}</p>
          <Flash tone="bad" failure={failure} />
          {hosts.length === 0 && (
            <Empty icon="network" title={copy.t("volume_copy.none")}>
              <p>{t("templates.copy_none_what")}</p>
              <a class="button" href="/settings/hosts">{copy.t("volume_copy.hosts")}</a>
            </Empty>
          )}
          {hosts.length > 0 && chosen === null && (
            <HostChoices legend={copy.t("volume_copy.to")} hosts={hosts} />
          )}
          {chosen !== null && (
            <>
              <h2>{copy.t("volume_copy.to_host", { host: oneLine(chosen.host.label, 60) })}</h2>
              <input type="hidden" name="toHost" value={chosen.host.id} />
              <Place name={name} pool={versions[0]?.disks[0]?.pool} chosen={chosen} typed={typed} />
            </>
          )}
        </div>
        <footer class="dialog-foot">
          {chosen !== null && (
            <a class="button" href={copyTemplateHref(id)}>{copy.t("volume_copy.other_host")}</a>
          )}
          <span class="text-muted grow" />
          <a class="button" href={templateHref(id)}>{copy.t("volume_copy.cancel")}</a>
          {hosts.length > 0 && (
            <button type="submit" class="button primary" disabled={chosen !== null && !isReady}>
              {copy.t(chosen === null ? "volume_copy.next" : "volume_copy.do")}
            </button>
          )}
        </footer>
      </form>
    </>
  );
});

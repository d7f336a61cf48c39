import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import type { VM } from "../../../lib/contract/mod.ts";
import { ova as texts } from "../../../lib/i18n/en/ova.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { volumeContentHref } from "../../../lib/storage/volume_page.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { formatBytes } from "../../../lib/text/quantity.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { disksAtRest } from "../../../lib/vm/manage.ts";
import { exportOvaInput } from "../../../lib/vm/ova_form.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { begin } from "../../(_shared)/long_work.ts";
import { typedFields } from "../../../lib/text/typed_fields.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const own = textsOf(texts);

/** Milliseconds the form waits for the export: a refusal comes by then, and so does the end of what is small. */
const SOON_MS = 2500;

/** An archive that was written. */
interface Written {
  readonly pool: string;
  readonly volume: string;
  readonly warnings: readonly string[];
}

async function shown(
  { api }: PageState,
  vm: VM,
  { typed = {}, failure = null, written = null }: {
    readonly typed?: Readonly<Record<string, string>>;
    readonly failure?: Failure | null;
    readonly written?: Written | null;
  } = {},
) {
  const pools = (await api.getStoragePools().catch(fail))
    .filter(({ state, keepsFiles, fixed }) => state === "running" && keepsFiles && !fixed);
  return { vm, pools, typed, failure, written };
}

export const handler = define.handlers({
  async GET(ctx) {
    return page(await shown(ctx.state, await vmOf(ctx)));
  },
  async POST(ctx) {
    const vm = await vmOf(ctx);
    const form = await postedForm(ctx.req);
    const { api } = ctx.state;
    try {
      const begun = await begin(api, "export_ova", SOON_MS, () => api.exportOva(exportOvaInput(form, vm.id)));
      if (!begun.isOver) return ctx.redirect(begun.href, 303);
      const { pool, volume, warnings } = begun.result;
      const written = { pool, volume, warnings: warnings.map(({ message }) => message) };
      return page(await shown(ctx.state, vm, { written }));
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(ctx.state, vm, { typed: typedFields(form), failure }), {
        status: failure.status,
      });
    }
  },
});

/** Taking a VM out as an archive. */
export default define.page<typeof handler>(function ExportOva({ data }) {
  const { vm, pools, typed, failure, written } = data;
  const title = own.t("ova.export_title", { name: oneLine(vm.name, 60) });
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      {written !== null && (
        <Flash
          tone="ok"
          title={own.t("ova.exported", {
            file: oneLine(written.volume, 80),
            pool: oneLine(written.pool, 60),
          })}
          actions={
            <a class="button" href={volumeContentHref(written.pool, written.volume)} download>
              {own.t("ova.download")}
            </a>
          }
        >
          {written.warnings.length > 0 && (
            <ul>{written.warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul>
          )}
        </Flash>
      )}
      <form class="panel narrow" method="post">
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{own.t("ova.export_what")}</p>
          <Flash tone="bad" failure={failure} />
          {!disksAtRest(vm) && <Flash tone="warn">{own.t("ova.export_off")}</Flash>}
          <SelectField
            label={own.t("ova.export_pool")}
            hint={own.t("ova.export_pool_hint")}
            name="pool"
            choices={pools.map(({ name, availableBytes }) => ({
              value: name,
              label: availableBytes === undefined
                ? name
                : own.t("ova.free", { name: oneLine(name, 60), free: formatBytes(availableBytes) }),
            }))}
            value={typed.pool ?? ""}
          />
          <TextField
            label={own.t("ova.export_file")}
            hint={own.t("ova.export_file_hint")}
            name="volume"
            maxLength={128}
            defaultValue={typed.volume ?? ""}
          />
        </div>
        <footer class="dialog-foot">
          <span class="text-muted grow" />
          <a class="button" href={`/vms/${encodeURIComponent(vm.id)}`}>{own.t("ova.cancel")}</a>
          <button type="submit" class="button primary" disabled={!disksAtRest(vm)}>
            {own.t("ova.export_do")}
          </button>
        </footer>
      </form>
    </>
  );
});

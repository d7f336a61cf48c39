import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField, TextField } from "../../../components/kit/Field.tsx";
import { Flash } from "../../../components/kit/Flash.tsx";
import { SealFields } from "../../../components/template/SealFields.tsx";
import type { Template, VM } from "../../../lib/contract/mod.ts";
import { templateHref } from "../../../lib/template/describe.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../../lib/text/refused_form.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { disksAtRest } from "../../../lib/vm/manage.ts";
import { templates as texts } from "../../../lib/i18n/en/templates.ts";
import { t, textsOf } from "../../../lib/i18n/mod.ts";
import { define, type PageState } from "../../../lib/page_state.ts";
import { postedForm } from "../../(_shared)/form.ts";
import { fail } from "../../(_shared)/fail.ts";
import { filePools, sendLong, templateInput } from "../../(_shared)/template.ts";
import { vmOf } from "../../(_shared)/vm.ts";

const area = textsOf(texts);
/** Chooses a new template instead of one that is there. */
const NEW = "";

async function shown({ api }: PageState, vm: VM, refused: RefusedForm | null) {
  const [list, pools] = await Promise.all([api.listTemplates(), filePools(api)]).catch(fail);
  return { vm, list, pools, refused };
}

export const handler = define.handlers({
  async GET(ctx) {
    return page(await shown(ctx.state, await vmOf(ctx), ctx.state.refused));
  },
  /** Making it copies disks: that is not waited for. */
  async POST(ctx) {
    const vm = await vmOf(ctx), { api } = ctx.state;
    const form = await postedForm(ctx.req);
    const templateId = String(form.get("into") ?? NEW), vmId = vm.id;
    const command = templateId === NEW ? "create_template" : "update_template";
    if (templateId !== NEW) form.delete("name");
    const sent = await sendLong(
      api,
      command,
      form,
      () =>
        templateId === NEW
          ? api.createTemplate(templateInput("create_template", form, { vmId }))
          : api.updateTemplate(templateInput("update_template", form, { templateId, vmId })),
    );
    if (sent !== null && typeof sent !== "string") {
      return page(await shown(ctx.state, vm, { ...sent, command: "create_template" }), {
        status: sent.failure.status,
      });
    }
    const to = templateId === NEW ? "/templates" : templateHref(templateId);
    if (sent === null) {
      ctx.state.notify({ is: "done", word: command, name: String(form.get("name") ?? vm.name) });
    }
    return ctx.redirect(sent ?? to, 303);
  },
});

function Fields({ vm, list, pools, refused }: {
  vm: VM;
  list: readonly Template[];
  pools: readonly string[];
  refused: RefusedForm | null;
}) {
  const typed = typedAgain(refused, "create_template");
  return (
    <>
      {list.length > 0 && (
        <SelectField
          label={area.t("templates.make_into")}
          name="into"
          value={typed?.into ?? NEW}
          choices={[
            { value: NEW, label: area.t("templates.make_new") },
            ...list.map(({ id, name }) => ({ value: id, label: area.t("templates.make_version", { name }) })),
          ]}
        />
      )}
      <TextField
        label={area.t("templates.name")}
        hint={area.t("templates.name_hint")}
        name="name"
        maxLength={64}
        defaultValue={typed?.name ?? vm.name}
        error={refusalAt(refused, "create_template", "name")}
      />
      <TextField
        label={area.t("templates.description")}
        name="description"
        maxLength={1000}
        defaultValue={typed?.description ?? ""}
        error={refusalAt(refused, "create_template", "description")}
      />
      <SelectField
        label={area.t("templates.pool")}
        hint={area.t("templates.pool_hint")}
        name="pool"
        value={typed?.pool ?? ""}
        choices={[
          { value: "", label: area.t("templates.pool_same") },
          ...pools.map((pool) => ({ value: pool, label: pool })),
        ]}
      />
      <SealFields chosen={typed?.seal?.split(",") ?? []} />
    </>
  );
}

/** Making a template of a VM, or a new version of one. */
export default define.page<typeof handler>(function MakeTemplate({ data }) {
  const { vm, refused } = data;
  const title = area.t("templates.make_title", { name: oneLine(vm.name, 60) });
  const isSaid = refused?.field === "name" || refused?.field === "description";
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post">
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{area.t("templates.make_what")}</p>
          {!disksAtRest(vm) && <Flash tone="warn">{area.t("templates.make_not_off")}</Flash>}
          {refused !== null && !isSaid && <Flash tone="bad" failure={refused.failure} />}
          <Fields {...data} />
          <p class="text-muted">{area.t("templates.left_out")}</p>
          <p class="text-muted">{area.t("templates.inside")}</p>
        </div>
        <footer class="dialog-foot">
          <span class="text-muted grow" />
          <a class="button" href={`/vms/${encodeURIComponent(vm.id)}`}>{area.t("templates.cancel")}</a>
          <button type="submit" class="button primary" disabled={!disksAtRest(vm)}>
            {area.t("templates.make")}
          </button>
        </footer>
      </form>
    </>
  );
});

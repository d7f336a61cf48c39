import { page } from "fresh";
import { Head } from "fresh/runtime";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { ImageTemplateFields } from "../../components/template/ImageTemplateForm.tsx";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { templateHref } from "../../lib/template/describe.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { guessSystem } from "../../lib/vm/create/guesses.ts";
import { postedForm } from "../(_shared)/form.ts";
import { subjectName } from "../(_shared)/object_name.ts";
import { fail } from "../(_shared)/fail.ts";
import { filePools, sendLong, templateInput } from "../(_shared)/template.ts";

const area = textsOf(texts);
/** Fields whose refusal is shown next to them. */
const PLACED: readonly string[] = [
  ...["image", "name", "description", "cpuCount", "memoryMb", "diskSizeGb", "firmware", "network", "pool"],
];

async function shown({ api }: PageState, refused: RefusedForm | null) {
  const [{ images }, systems, networks, list, pools] = await Promise.all([
    api.listImages(),
    api.listOperatingSystems(),
    api.getNetworks(),
    api.listTemplates(),
    filePools(api),
  ]).catch(fail);
  const disks = images.filter(({ kind }) => kind === "disk");
  const image = disks[0] === undefined ? "" : `${disks[0].pool}/${disks[0].name}`;
  const system = guessSystem(image, systems) ?? "";
  const names = systems.map(({ id, name }) => ({ id, name }));
  return {
    images: disks,
    systems: names,
    pools,
    refused,
    image,
    system,
    networks: networks.map(({ name }) => name),
    list: list.map(({ id, name }) => ({ id, name })),
  };
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state, state.refused));
  },
  /** Making it may copy an image: that is not waited for. */
  async POST(ctx) {
    const { api } = ctx.state, form = await postedForm(ctx.req);
    const templateId = String(form.get("into") ?? "");
    const command = templateId === "" ? "create_template" : "update_template";
    if (templateId !== "") form.delete("name");
    const sent = await sendLong(
      api,
      command,
      form,
      () =>
        templateId === ""
          ? api.createTemplate(templateInput("create_template", form, {}))
          : api.updateTemplate(templateInput("update_template", form, { templateId })),
    );
    if (sent !== null && typeof sent !== "string") {
      return page(await shown(ctx.state, { ...sent, command: "create_template" }), {
        status: sent.failure.status,
      });
    }
    if (sent !== null) return ctx.redirect(sent, 303);
    const to = templateId === "" ? "/templates" : templateHref(templateId);
    const name = templateId === ""
      ? String(form.get("name") ?? "")
      : await subjectName(api, command, { templateId });
    ctx.state.notify({ is: "done", word: command, name });
    return ctx.redirect(to, 303);
  },
});

/** Making a template without a VM: of a disk image, or with an empty disk. */
export default define.page<typeof handler>(function NewTemplate({ data }) {
  const { refused } = data, title = area.t("templates.of_image");
  const isPlaced = refused?.field !== undefined && PLACED.includes(refused.field);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{title}</h1>
      </header>
      <Panel title={area.t("templates.make")} class="storage-form">
        <form method="post" action="/templates/new">
          <p class="text-muted pad">{area.t("templates.of_image_what")}</p>
          {refused !== null && !isPlaced && <Flash tone="bad" failure={refused.failure} />}
          <ImageTemplateFields {...data} />
          <div class="form-actions">
            <button type="submit" class="button primary">{area.t("templates.make")}</button>
            <a class="button" href="/templates">{area.t("templates.cancel")}</a>
          </div>
        </form>
      </Panel>
    </>
  );
});

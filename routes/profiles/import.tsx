import { page } from "fresh";
import { Head } from "fresh/runtime";
import { withUploaded } from "../../agent/profiles/upload.ts";
import { Fact } from "../../components/kit/Fact.tsx";
import { TextField } from "../../components/kit/Field.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { ContractError } from "../../lib/contract/errors.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { profiles as texts } from "../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { MOST_PROFILE_BYTES } from "../../lib/profiles/file.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail } from "../(_shared)/fail.ts";
import { postedForm } from "../(_shared)/form.ts";

const { t } = textsOf(texts);

/** Data of the page: a preview, or the reason why there is none. */
interface Shown {
  readonly text: string;
  readonly preview: Output<"preview_import"> | null;
  readonly renameTo: string;
  readonly failure: Failure | null;
}

/** The text of the file that was chosen, or of the one that was shown. @throws {ContractError} InvalidInput */
async function contentOf(form: FormData): Promise<string> {
  const file = form.get("file");
  if (!(file instanceof File)) return textIn(form, "content");
  if (file.size === 0 || file.size > MOST_PROFILE_BYTES) {
    throw new ContractError("InvalidInput", { reason: t("profiles.no_file"), field: "file" });
  }
  return await file.text();
}

export const handler = define.handlers({
  GET: (ctx) => ctx.redirect("/profiles", 303),
  async POST(ctx) {
    const { req, state } = ctx;
    // Before anything of it is kept
    if (!state.may("import_profile")) fail(new ContractError("Forbidden", { role: "administrator" }));
    const form = await postedForm(req), renameTo = textIn(form, "rename_to");
    let text = "", preview: Shown["preview"] = null;
    try {
      text = await contentOf(form);
      preview = await withUploaded(text, (input_path) => state.api.previewImport({ input_path }));
      if (form.has("import")) {
        const rename = renameTo !== "" && renameTo !== preview.name ? { rename_to: renameTo } : {};
        const { profile } = await withUploaded(
          text,
          (input_path) => state.api.importProfile({ input_path, ...rename }),
        );
        return ctx.redirect(`/profiles/${encodeURIComponent(profile.id)}`, 303);
      }
    } catch (error) {
      const failure = failureOf(error), shown: Shown = { text, preview, renameTo, failure };
      return page(shown, { status: failure.status });
    }
    const shown: Shown = { text, preview, renameTo: preview.name, failure: null };
    return page(shown);
  },
});

/** Page with the preview of an import from a file. */
export default define.page<typeof handler>(function ImportProfile({ data }) {
  const { text, preview, renameTo, failure } = data as Shown;
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("profiles.import") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("profiles.import")}</h1>
        <span class="actions">
          <a class="button" href="/profiles">{t("profiles.title")}</a>
        </span>
      </header>
      <div class="storage-stack">
        {failure !== null && <Flash tone="bad" icon="alert" title={failure.why} />}
        {preview !== null && (
          <Panel title={t("profiles.preview")}>
            <dl class="description-list">
              <Fact label={t("profiles.name")}>
                <bdi>{oneLine(preview.name, 64)}</bdi>
              </Fact>
              <Fact label={t("profiles.description")}>
                <bdi>{oneLine(preview.description ?? "–", 1000)}</bdi>
              </Fact>
              <Fact label={t("profiles.tools")}>{preview.tool_count}</Fact>
              <Fact label={t("profiles.version")}>{preview.version}</Fact>
            </dl>
            {preview.has_name_collision && <Flash tone="warn" title={t("profiles.collision")} />}
            <form method="post" action="/profiles/import">
              <input type="hidden" name="content" value={text} />
              <input type="hidden" name="import" value="yes" />
              <div class="form-grid">
                <TextField
                  name="rename_to"
                  label={t("profiles.rename_to")}
                  required
                  maxLength={64}
                  defaultValue={renameTo}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button primary">{t("profiles.import_now")}</button>
              </div>
            </form>
          </Panel>
        )}
      </div>
    </>
  );
});

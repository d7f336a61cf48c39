import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { pictureSizes, readChapter } from "../../agent/help/read.ts";
import { HelpSearch } from "../../components/help/HelpSearch.tsx";
import { Markdown } from "../../components/help/Markdown.tsx";
import { HELP } from "../../lib/help/chapters.ts";
import { help as texts } from "../../lib/i18n/en/help.ts";
import { SOURCE_LOCALE } from "../../lib/i18n/languages.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";

const area = textsOf(texts);

export const handler = define.handlers({
  async GET({ params, state }) {
    const chapter = await readChapter(params.chapter ?? "");
    if (chapter === undefined) throw new HttpError(404);
    state.subject = chapter.title;
    return page({ chapter, sizes: await pictureSizes(chapter) });
  },
});

/** A chapter of the documentation. */
export default define.page<typeof handler>(function HelpChapter({ data: { chapter, sizes } }) {
  const sections = chapter.sections.filter(({ anchor }) => anchor !== "");
  return (
    <>
      <Head>
        <title>{t("title.page", { page: chapter.title })}</title>
      </Head>
      <HelpSearch />
      <div class="help-page">
        <article class="panel help-text" lang={SOURCE_LOCALE}>
          <h1>{chapter.title}</h1>
          <Markdown tokens={chapter.tokens} sizes={sizes} />
        </article>
        <nav class="help-contents" aria-label={area.t("help.contents")}>
          <a href={HELP}>{area.t("help.all")}</a>
          <ul>
            {sections.map(({ anchor, title }) => (
              <li key={anchor}>
                <a href={`#${anchor}`}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
      </div>
    </>
  );
});

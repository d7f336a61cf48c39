import { page } from "fresh";
import { Head } from "fresh/runtime";
import { readChapters } from "../../agent/help/read.ts";
import { HelpSearch } from "../../components/help/HelpSearch.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { CHAPTER_GROUPS, HELP } from "../../lib/help/chapters.ts";
import { searchChapters } from "../../lib/help/text.ts";
import { help as texts } from "../../lib/i18n/en/help.ts";
import { SOURCE_LOCALE } from "../../lib/i18n/languages.ts";
import { locale } from "../../lib/i18n/locale.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";

const area = textsOf(texts);
/** Letters of a question that are looked at. */
const LONGEST = 200;

export const handler = define.handlers({
  async GET({ url }) {
    const question = (url.searchParams.get("q") ?? "").slice(0, LONGEST).trim();
    const chapters = await readChapters();
    const found = question === "" ? null : searchChapters(chapters, question);
    return page({ question, found, titles: new Map(chapters.map(({ name, title }) => [name, title])) });
  },
});

/** The documentation: its chapters, or what is found in them. */
export default define.page<typeof handler>(function Help({ data: { question, found, titles } }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("help.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("help.title")}</h1>
      </header>
      {locale() !== SOURCE_LOCALE && <p class="text-muted">{area.t("help.language")}</p>}
      <HelpSearch question={question} />
      {found === null
        ? (
          <div class="help-groups">
            {CHAPTER_GROUPS.map(({ label, chapters }) => (
              <Panel key={label} title={area.t(label)}>
                <ul class="help-chapters" lang={SOURCE_LOCALE}>
                  {chapters.map((name) => (
                    <li key={name}>
                      <a href={`${HELP}/${name}`}>{titles.get(name)}</a>
                    </li>
                  ))}
                </ul>
              </Panel>
            ))}
          </div>
        )
        : found.length === 0
        ? (
          <Empty icon="search" title={area.t("help.none")}>
            <p>{area.t("help.none_what")}</p>
            <a class="button" href={HELP}>{area.t("help.all")}</a>
          </Empty>
        )
        : (
          <>
            <p class="text-muted" role="status">{area.plural("help.found", found.length)}</p>
            <ul class="help-found" lang={SOURCE_LOCALE}>
              {found.map(({ href, chapter, title, around }) => (
                <li key={href}>
                  <a href={href}>{title}</a>
                  {title !== chapter && <small>{chapter}</small>}
                  <p>{around}</p>
                </li>
              ))}
            </ul>
          </>
        )}
    </>
  );
});

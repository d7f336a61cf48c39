/** The tab bar of a page that is narrower than its tabs. */

/** Scrolls the tab of this page to the middle of its bar, as far as there is something to scroll. */
export function showCurrentTab(): void {
  const tab = document.querySelector<HTMLElement>(".tabs [aria-current]");
  const bar = tab?.parentElement;
  if (tab && bar) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
}

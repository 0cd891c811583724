// What makes the pages smoother for those who have JavaScript. No page needs it: leave nothing to this file alone.

import * as govuk from "govuk-frontend";
import "./passkeys.js";

// Only what is named here is built in. Each starts on the elements that carry its data-module attribute.
for (const component of [
  govuk.Button,
  govuk.CharacterCount,
  govuk.Checkboxes,
  govuk.ErrorSummary,
  govuk.NotificationBanner,
  govuk.PasswordInput,
  govuk.Radios,
  govuk.ServiceNavigation,
  govuk.SkipLink,
]) {
  govuk.createAll(component);
}

// A link that calls or writes to somebody was followed: its card asks whether that reached them (gateway/web/reached.py).
document.addEventListener("click", ({ target }) => {
  const link = target.closest("a[data-reach]");
  const answers = link?.closest(".pw-person-card")?.querySelector(".pw-person-card__actions");
  if (answers && !answers.querySelector("form") && window.htmx) {
    const values = { kind: link.dataset.kind, csrf: link.closest("[data-csrf]").dataset.csrf };
    window.htmx.ajax("POST", link.dataset.reach, { target: answers, swap: "innerHTML", values });
  }
});

// A telephone loses its connection for a moment: what waits for more answers asks again.
document.addEventListener("htmx:sendError", ({ target }) => {
  if (target.id === "more") {
    setTimeout(() => window.htmx.trigger(target, "again"), 3000);
  }
});

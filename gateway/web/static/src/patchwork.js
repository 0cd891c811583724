// What makes the pages smoother for those who have JavaScript. No page needs it: leave nothing to this file alone.

import * as govuk from "govuk-frontend";

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

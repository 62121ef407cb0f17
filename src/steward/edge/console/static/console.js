/* The console's own script: times in the reader's zone, copying, asking before what can't be undone. */
(() => {
  "use strict";
  const format = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function localTimes(root) {
    for (const element of root.querySelectorAll("time[datetime]")) {
      element.textContent = format.format(new Date(element.dateTime));
      element.title = element.dateTime;
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-confirm]");
    if (!button) return;
    if (button.type === "submit" && button.form && !button.form.reportValidity()) { event.preventDefault(); return; }
    if (button.dataset.confirm && !confirm(button.dataset.confirm)) event.preventDefault();
    if (!button.dataset.copy) return;
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      const before = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = before; }, 1500);
    } catch {
      getSelection().selectAllChildren(source);
    }
  });

  /** Close the navigation's groups, all but the one in which something happens. */
  function foldGroups(target) {
    for (const group of document.querySelectorAll(".group[open]")) {
      if (!group.contains(target)) group.open = false;
    }
  }
  document.addEventListener("click", (event) => foldGroups(event.target));
  document.addEventListener("focusin", (event) => foldGroups(event.target));
  document.addEventListener("keydown", (event) => {
    const group = event.key === "Escape" && event.target.closest?.(".group[open]");
    if (group) { group.open = false; group.querySelector("summary").focus(); }
  });

  /** Keep the last message in view, unless somebody has scrolled up to read. */
  let count = -1;
  function followTalk() {
    const talk = document.querySelector(".talk");
    if (!talk || talk.children.length === count) return;
    const near = count < 0 || talk.scrollHeight - talk.scrollTop - talk.clientHeight < 200;
    count = talk.children.length;
    if (near) talk.scrollTop = talk.scrollHeight;
  }

  document.addEventListener("htmx:after:swap", () => { localTimes(document); followTalk(); });
  document.addEventListener("htmx:after:request", (event) => {
    const form = event.target.closest?.("form.reply");
    if (form) { form.reset(); form.querySelector("textarea").focus(); }
  });
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form.reply");
    if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  localTimes(document);
  followTalk();
})();

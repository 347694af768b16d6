"use strict";

(function () {
    const h = React.createElement;
    let forget = 0;

    // The components that trivium/dashboard/elements.py declares; those of the plant are in plant.js.
    window.trivium_dashboard = {
        Select(props) {
            const id = typeof props.id === "string" ? props.id : JSON.stringify(props.id);
            const known = props.options || [];
            // what was just made is shown before it is listed; a browser would show the first choice
            const listed = !props.value || known.some((one) => one.value === props.value) ? known : [...known, { value: props.value, label: props.value }];
            const options = listed.map((one) => h("option", { key: one.value, value: one.value }, one.label));
            const choose = (event) => props.setProps({ value: event.target.value });
            return h("select", { id, value: props.value == null ? "" : props.value, onChange: choose }, options);
        },
        Choices(props) {
            const { id, noun, options, value, labelled, setProps } = props;
            const [text, write] = React.useState("");
            const word = (one) => (labelled ? one.label : one.value);
            const known = new Map((options || []).map((one) => [word(one), one.value]));
            const words = new Map((options || []).map((one) => [one.value, word(one)]));
            const change = (event) => {
                const found = known.get(event.target.value.trim());
                if (found !== undefined) {
                    if (!value.includes(found)) keep([...value, found]);
                    write("");
                } else write(event.target.value);
            };
            const keep = (chosen) => {
                remember(id, chosen);
                setProps({ value: chosen });
            };
            const drop = (name) => keep(value.filter((one) => one !== name));
            const chips = (value || []).map((name) =>
                h("li", { key: name }, h("button", { type: "button", className: "chip", "aria-label": `Remove ${words.get(name) || name}`, onClick: () => drop(name) }, words.get(name) || name, h("span", { "aria-hidden": "true" }, " ×"))),
            );
            const rest = (options || []).filter((one) => !(value || []).includes(one.value));
            return h("div", { className: "choices" },
                chips.length ? h("ul", { "aria-label": `Chosen ${noun}s` }, chips) : null,
                h("input", { id, type: "text", list: `${id}-list`, value: text, autoComplete: "off", placeholder: `Add a ${noun}`, onChange: change }),
                h("datalist", { id: `${id}-list` }, rest.map((one) => h("option", { key: one.value, value: word(one) }, labelled ? null : one.label))),
            );
        },
        Ticks(props) {
            const { id, label, options, value, setProps } = props;
            const ticked = value || [];
            const turn = (name) => (event) =>
                setProps({ value: event.target.checked ? [...ticked, name] : ticked.filter((one) => one !== name) });
            const boxes = (options || []).map((one) =>
                h("label", { key: one.value }, h("input", { type: "checkbox", value: one.value, checked: ticked.includes(one.value), onChange: turn(one.value) }), h("span", null, one.label)),
            );
            return h("fieldset", { id, hidden: !boxes.length }, h("legend", null, label), h("div", { className: "boxes" }, boxes));
        },
        Between(props) {
            const { label, low, high, setProps } = props;
            const [ends, move] = React.useState(props.value);
            const later = React.useRef(0);
            React.useEffect(() => move(props.value), [JSON.stringify(props.value)]);
            const at = [ends[0] == null ? low : ends[0], ends[1] == null ? high : ends[1]];
            const slide = (end) => (event) => {
                const number = Number(event.target.value);
                const moved = [...ends];
                if (end === 0) moved[0] = number <= low ? null : Math.min(number, at[1]);
                else moved[1] = number >= high ? null : Math.max(number, at[0]);
                move(moved);
                clearTimeout(later.current);
                later.current = setTimeout(() => setProps({ value: moved }), 150);
            };
            const text = (number) => String(Number(number.toPrecision(4)));
            const slider = (end, word) =>
                h("input", {
                    type: "range", min: low, max: high, step: (high - low) / 500 || 1, value: at[end], onChange: slide(end),
                    "aria-label": `${label}, ${word}`, "aria-valuetext": text(at[end]),
                });
            const share = (number) => `${(100 * (number - low)) / (high - low || 1)}%`;
            const style = { "--from": share(at[0]), "--to": share(at[1]) };
            return h("div", { id: typeof props.id === "string" ? props.id : JSON.stringify(props.id), className: "between" },
                h("span", { className: "name" }, label),
                h("span", { className: "ends" }, `${text(at[0])} to ${text(at[1])}`),
                h("div", { className: "track", style }, slider(0, "at least"), slider(1, "at most")),
            );
        },
        // What is drawn stays what it is as far as it is the same: focus, selection and a button that is held down.
        Still(props) {
            const box = React.useRef(null);
            const within = React.useRef(false);
            React.useEffect(() => {
                // the button that had the focus is gone with its row
                if (within.current && document.activeElement === document.body && box.current) box.current.focus();
            });
            const draw = (node) => {
                if (Array.isArray(node)) return node.map(draw);
                if (node == null || typeof node !== "object") return node;
                const { press } = node;
                const attributes = { ...node.props };
                if (node.key != null) attributes.key = node.key;
                if (press) attributes.onClick = () => props.setProps({ [press.do]: { of: press.of, n: Date.now() } });
                const inside = node.children == null ? [] : [].concat(node.children).map(draw);
                return h(node.tag, attributes, ...inside);
            };
            const focus = (is) => () => { within.current = is; };
            const content = [].concat(props.content == null ? [] : props.content).map(draw);
            return h("div", { id: props.id, ref: box, tabIndex: -1, className: props.className, onFocus: focus(true), onBlur: (event) => { if (event.relatedTarget) within.current = false; } }, ...content);
        },
    };

    // The theme: that of the system until the reader chooses one.
    const root = document.documentElement;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const kept = () => {
        try {
            return localStorage.getItem("trivium-theme");
        } catch {
            return null;
        }
    };
    const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
    const name = () => {
        const button = document.getElementById("theme");
        if (button) {
            button.textContent = isDark() ? "Light" : "Dark";
            button.setAttribute("aria-label", isDark() ? "Change to light colours" : "Change to dark colours");
        }
    };
    if (kept()) root.dataset.theme = kept();
    dark.addEventListener("change", name);

    // A server that is away, and one that wants a token again, are told.
    const ask = window.fetch.bind(window);
    let away = false;
    const tell = (children, kind) => dash_clientside.set_props("said", { children, className: `said ${kind}` });
    window.fetch = async (...request) => {
        try {
            const response = await ask(...request);
            if (response.status === 401) location.assign("/dashboard/login");
            if (away) tell("The server answers again.", "done");
            away = false;
            return response;
        } catch (error) {
            if (!away && error.name !== "AbortError") {
                away = true;
                tell("The server does not answer; what is shown may be old.", "refused");
            }
            throw error;
        }
    };

    // One stream a page tells when something is new. Nobody looks: there is none.
    const live = { page: null, session: "", source: null, heard: 0, looks: 0 };
    const PARTS = { session: ["tick"], others: ["tick", "tick-others"], page: ["tick-page"] };
    const look = (parts = Object.keys(PARTS)) => {
        live.looks += 1;
        for (const id of new Set(parts.flatMap((part) => PARTS[part])))
            dash_clientside.set_props(id, { n_intervals: live.looks });
    };
    const stale = (is) => {
        const place = document.getElementById("stale");
        if (!place || (place.textContent !== "") === is) return;
        const since = new Date(live.heard || Date.now()).toLocaleTimeString();
        dash_clientside.set_props("stale", { children: is ? `Not connected: what is shown is of ${since}.` : "" });
        document.body.classList.toggle("stale", is);
    };
    const hear = () => {
        live.heard = Date.now();
        stale(false);
    };
    const follow = () => {
        if (live.source) live.source.close();
        live.source = null;
        if (document.hidden || live.page == null) return;
        const query = new URLSearchParams({ page: live.page, session: live.session });
        const source = (live.source = new EventSource(`/dashboard/_live?${query}`));
        source.addEventListener("look", (event) => { hear(); look(event.data.split(" ")); });
        source.addEventListener("beat", hear);
        source.onopen = () => {
            hear();
            if (away) look();
        };
        source.onerror = () => {
            // it came to its end, the server is away, or has no room for one more stream: what the page asks now tells
            if (live.source !== source) return;
            const closed = source.readyState === EventSource.CLOSED; // otherwise the browser connects again
            if (closed || !away) look();
            if (!closed) return;
            live.source = null;
            setTimeout(() => { if (!live.source) follow(); }, 5000);
        };
    };
    setInterval(() => { if (!document.hidden && live.heard && Date.now() - live.heard > 25000) stale(true); }, 2000);
    document.addEventListener("visibilitychange", () => {
        follow();
        if (!document.hidden && live.page != null) look();
    });

    // Before what cannot simply be taken back, the reader is asked; a button that may not be used says why.
    const passed = new WeakSet();
    const question = () => {
        let box = document.getElementById("question");
        if (box) return box;
        box = document.createElement("dialog");
        box.id = "question";
        box.setAttribute("aria-labelledby", "question-text");
        const text = document.createElement("p");
        text.id = "question-text";
        const form = document.createElement("form");
        form.method = "dialog";
        form.className = "row";
        for (const [value, word, kind] of [["yes", "", "main"], ["no", "Leave it", ""]]) {
            const button = document.createElement("button");
            Object.assign(button, { value, textContent: word, className: `button ${kind}` });
            form.append(button);
        }
        box.append(text, form);
        document.body.append(box);
        return box;
    };
    document.addEventListener("click", (event) => {
        const button = event.target.closest && event.target.closest("button");
        if (!button) return;
        const { why, confirm } = button.dataset;
        if (button.getAttribute("aria-disabled") === "true") {
            event.preventDefault();
            event.stopPropagation();
            tell(why || "This cannot be done now.", "refused");
        } else if (confirm && !passed.has(button)) {
            event.preventDefault();
            event.stopPropagation();
            const box = question();
            box.querySelector("p").textContent = confirm;
            box.querySelector("button").textContent = button.textContent;
            box.onclose = () => {
                button.focus();
                if (box.returnValue !== "yes") return;
                passed.add(button);
                button.click();
                passed.delete(button);
            };
            box.returnValue = "no";
            box.showModal();
        }
    }, true);

    // Fields keep what is in them while one looks at other pages, until the tab is closed.
    const FIELDS = "trivium-fields";
    const fields = () => {
        try {
            return JSON.parse(sessionStorage.getItem(FIELDS)) || {};
        } catch {
            return {};
        }
    };
    const remember = (id, value) => {
        if (typeof id !== "string" || id === "session" || !document.getElementById("main")) return;
        try {
            sessionStorage.setItem(FIELDS, JSON.stringify({ ...fields(), [id]: value }));
        } catch {
            // a browser that keeps nothing
        }
    };
    for (const kind of ["input", "change"])
        document.addEventListener(kind, (event) => {
            const field = event.target;
            if (field.id && !field.closest(".choices") && field.closest("#main")) remember(field.id, field.value);
        });

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        trivium: {
            theme(clicks) {
                if (clicks) {
                    root.dataset.theme = isDark() ? "light" : "dark";
                    try {
                        localStorage.setItem("trivium-theme", root.dataset.theme);
                    } catch {
                        // a browser that keeps nothing
                    }
                }
                setTimeout(name, 0);
                return window.dash_clientside.no_update;
            },
            arrive(path, before) {
                const page = (path || "").replace(/\/+$/, "").split("/").pop();
                document.querySelectorAll("nav a").forEach((link) => {
                    const here = link.getAttribute("href").replace(/\/+$/, "") === (path || "").replace(/\/+$/, "");
                    if (here) link.setAttribute("aria-current", "page");
                    else link.removeAttribute("aria-current");
                });
                const titles = { sessions: "Sessions", runs: "Runs", indicators: "Indicators", jobs: "Jobs", new: "New job", studies: "Studies", system: "System" };
                document.title = `${titles[page] || "Plant"} · Trivium`;
                if (before && before.path !== path) {
                    const main = document.getElementById("main");
                    if (main) main.focus({ preventScroll: true });
                    window.scrollTo(0, 0);
                }
                live.page = page === "dashboard" ? "" : page;
                follow();
                return { path, fields: fields() };
            },
            // The stream is about the session that is shown.
            watch(session) {
                if (session && session !== live.session) {
                    live.session = session;
                    follow();
                }
                return window.dash_clientside.no_update;
            },
            // What was said stays long enough to be read, a refusal longer.
            said(text, kind) {
                clearTimeout(forget);
                if (text && !away) {
                    const long = kind.includes("undo") ? 60000 : kind.includes("refused") ? 20000 : 8000;
                    forget = setTimeout(() => dash_clientside.set_props("said", { children: "" }), long);
                }
                return window.dash_clientside.no_update;
            },
        },
    });
})();

"use strict";

(function () {
    const h = React.createElement;
    const idOf = (id) => (typeof id === "string" ? id : JSON.stringify(id));

    // What a reading changes in a drawing, by id: its text and attributes. What has the focus keeps it, and what turns goes on turning.
    const apply = (place, name, parts) => {
        const drawing = place.firstElementChild;
        if (!drawing) return;
        for (const [id, part] of Object.entries(parts)) {
            const element = id ? drawing.querySelector(`#${CSS.escape(`${name}-${id}`)}`) : drawing;
            if (!element) continue;
            for (const [key, value] of Object.entries(part)) {
                if (key !== "text") {
                    if (element.getAttribute(key) !== value) element.setAttribute(key, value);
                } else if (element.textContent !== value) element.textContent = value;
            }
        }
    };

    // The unit whose panel is open goes back to its place in the drawing when the panel closes.
    let chosen = null;
    const open = (element) => {
        chosen = element;
        const wait = (left) => {
            const panel = document.getElementById("unit");
            if (panel && !panel.hidden) panel.focus();
            else if (left) setTimeout(wait, 50, left - 1);
        };
        wait(100);
    };
    document.addEventListener("click", (event) => {
        if (event.target.id === "unit-close" && chosen && chosen.isConnected) chosen.focus();
    });
    document.addEventListener("keydown", (event) => {
        const panel = document.getElementById("unit");
        if (event.key === "Escape" && panel && !panel.hidden) document.getElementById("unit-close").click();
    });

    Object.assign(window.dash_clientside.trivium, {
        // Where the session stands, for a panel that is open.
        of_open: (chosen, stand) => (chosen ? stand : window.dash_clientside.no_update),
    });

    Object.assign(window.trivium_dashboard, {
        Svg(props) {
            return h("div", { id: props.id, className: props.className, dangerouslySetInnerHTML: { __html: props.markup || "" } });
        },
        Drawing(props) {
            const places = { wide: React.useRef(null), tall: React.useRef(null) };
            for (const [name, place] of Object.entries(places)) {
                React.useEffect(() => { place.current.innerHTML = props[name] || ""; }, [props[name]]);
                React.useEffect(() => apply(place.current, name, (props.parts || {})[name] || {}), [props[name], props.parts]);
            }
            const pick = (event) => {
                const unit = event.target.closest("[data-unit]");
                if (!unit) return;
                event.preventDefault();
                open(unit);
                props.setProps({ picked: { unit: unit.dataset.unit, n: Date.now() } });
            };
            const press = (event) => (event.key === "Enter" || event.key === " ") && pick(event);
            const drawing = (name) => h("div", { key: name, id: `${props.id}-${name}`, className: `schematic ${name}`, ref: places[name] });
            return h("div", { id: props.id, onClick: pick, onKeyDown: press }, drawing("wide"), drawing("tall"));
        },
        Unfolded(props) {
            const kind = (place) => ((props.numbers || []).includes(place) ? "number" : null);
            const cell = (text, place) => h(place ? "td" : "th", { key: place, scope: place ? null : "row", className: kind(place) }, text);
            const line = (row) => h("tr", { key: row[0] }, row.map(cell));
            const head = props.head.map((text, place) => h("th", { key: text, scope: "col", className: kind(place) }, text));
            const table = () =>
                h("div", { className: "table", role: "region", tabIndex: 0, "aria-label": props.caption },
                    h("table", null, h("caption", null, props.caption), h("thead", null, h("tr", null, head)), h("tbody", null, props.rows.map(line))),
                );
            return h("details", { id: props.id, className: "card", onToggle: (event) => props.setProps({ open: event.target.open }) },
                h("summary", null, props.title),
                props.open && props.rows.length ? table() : null,
            );
        },
        Alarms(props) {
            const head = ["Alarm", "Priority", "Value", "Limit", "Since", "State", "Actions"];
            const rows = props.rows || [];
            const acknowledge = (name) => () => props.setProps({ acknowledge: { name, n: Date.now() } });
            const button = (row) => {
                const label = `Acknowledge ${row.text}`;
                return h("button", { type: "button", className: "button quiet", "aria-label": label, disabled: !props.may, title: props.may ? null : "Your token may only look.", onClick: acknowledge(row.name) }, "Acknowledge");
            };
            const line = (row) =>
                h("tr", { key: `${row.name} ${row.since}`, className: row.active ? `alarm ${row.priority}` : "" },
                    h("th", { scope: "row" }, h("span", { className: "sign", "aria-hidden": "true" }, row.sign), ` ${row.text}`),
                    ...[row.priority, row.value, row.limit, row.since, row.state].map((text, i) => h("td", { key: i, className: i === 1 || i === 2 ? "number" : null, "data-label": head[i + 1] }, text)),
                    h("td", { "data-label": head[6] }, row.open ? button(row) : ""),
                );
            const list = () =>
                h("details", { className: `alarms ${props.kind}` },
                    h("summary", null, props.summary),
                    h("div", { className: "table cards", role: "region", tabIndex: 0, "aria-label": "Alarms of the session" },
                        h("table", null,
                            h("caption", { className: "hidden" }, "Alarms of the session"),
                            h("thead", null, h("tr", null, head.map((text) => h("th", { key: text, scope: "col" }, text)))),
                            h("tbody", null, rows.map(line)),
                        ),
                    ),
                );
            return h("div", { id: idOf(props.id) },
                h("p", { className: "hidden", role: "status" }, props.summary),
                rows.length ? list() : null,
            );
        },
        Hand(props) {
            const [drafts, write] = React.useState({});
            const later = React.useRef(0);
            const send = (name, value) => {
                clearTimeout(later.current);
                props.setProps({ change: { name, value, n: Date.now() } });
            };
            const move = (row, soon) => (event) => {
                const value = event.target.value;
                write({ ...drafts, [row.name]: { value, seen: row.value } });
                clearTimeout(later.current);
                if (soon) later.current = setTimeout(send, 350, row.name, value);
            };
            // What was written holds until the session has something else than when it was written.
            const shown = (row) => {
                const draft = drafts[row.name];
                return draft && draft.seen === row.value ? draft.value : row.value;
            };
            const line = (row) => {
                const key = `${idOf(props.id)}-${row.name}`;
                const off = !props.may || !row.hand;
                const mode = (label, hand) =>
                    h("label", null,
                        h("input", { type: "radio", name: key, checked: row.hand === hand, disabled: !props.may, onChange: () => send(row.name, hand ? row.value : null) }),
                        ` ${label}`,
                    );
                const number = h("input", { type: "text", inputMode: "decimal", id: key, value: shown(row), disabled: off, onChange: move(row, false), onBlur: () => drafts[row.name] && send(row.name, shown(row)), onKeyDown: (event) => event.key === "Enter" && send(row.name, event.target.value) });
                const slider = row.low === null || row.high === null ? null :
                    h("input", { type: "range", min: row.low, max: row.high, step: row.step, value: Number(shown(row)) || 0, disabled: off, onChange: move(row, true), "aria-label": row.label, "aria-valuetext": `${shown(row)} ${row.unit}` });
                return h("fieldset", { key: row.name, className: row.hand ? "hand by" : "hand" },
                    h("legend", null, row.label),
                    h("div", { className: "ticks" }, mode("Auto", false), mode("By hand", true), row.note ? h("small", { className: "muted" }, row.note) : null),
                    slider,
                    h("div", { className: "given" }, h("label", { className: "hidden", htmlFor: key }, row.label), number, h("span", null, row.unit), h("small", { className: "muted" }, row.bounds)),
                );
            };
            return h("div", { id: idOf(props.id), className: "hands" }, (props.rows || []).map(line));
        },
        // A file goes to the server as it is, by the same address as programs use; what the server replies is shown.
        Upload(props) {
            const [file, choose] = React.useState(null);
            const [name, write] = React.useState("");
            const [state, tell] = React.useState({ text: "", kind: "" });
            const pick = (event) => {
                const chosen = event.target.files[0] || null;
                choose(chosen);
                if (chosen) write(chosen.name.replace(/\.fmu$/i, "").replace(/[^A-Za-z0-9_.-]/g, "_"));
            };
            const send = async () => {
                if (!file) return tell({ text: "Choose a file first.", kind: "trouble" });
                if (file.size > props.limit) return tell({ text: `The file has ${(file.size / 1e6).toFixed(1)} MB, and this server takes ${(props.limit / 1e6).toFixed(1)} MB.`, kind: "trouble" });
                tell({ text: "The server takes the file and steps it once …", kind: "busy" });
                try {
                    const response = await fetch(`/testcases/${encodeURIComponent(name)}`, { method: "PUT", body: file, headers: { "Content-Type": "application/octet-stream" } });
                    const reply = await response.json();
                    if (!response.ok) return tell({ text: `Not done: ${reply.message}`, kind: "trouble" });
                    tell({ text: `Registered ${reply.payload.testcaseid}; a session of it can be made.`, kind: "" });
                    return props.setProps({ registered: { id: reply.payload.testcaseid, n: Date.now() } });
                } catch (error) {
                    return tell({ text: `Not done: the server did not answer (${error.message}).`, kind: "trouble" });
                }
            };
            const off = Boolean(props.why) || state.kind === "busy";
            const id = idOf(props.id);
            return h("div", { id },
                h("div", { className: "row" },
                    h("div", { className: "field wide" }, h("label", { htmlFor: `${id}-file` }, "FMU"), h("input", { id: `${id}-file`, type: "file", accept: ".fmu", disabled: off, onChange: pick })),
                    h("div", { className: "field" }, h("label", { htmlFor: `${id}-name` }, "Name"), h("input", { id: `${id}-name`, type: "text", value: name, autoComplete: "off", disabled: off, onChange: (event) => write(event.target.value) })),
                ),
                h("button", { type: "button", className: "button main", disabled: off, onClick: send }, "Upload and register"),
                props.why ? h("p", { className: "muted" }, props.why) : null,
                h("p", { className: state.kind === "trouble" ? "trouble" : "", role: "status" }, state.text),
            );
        },
    });
})();

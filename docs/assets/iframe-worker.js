// Browsers start no worker on a page that is opened from disk (file://), and the search of this site wants one.
// Here it runs in a hidden frame instead. The search worker looks for a parent with `IFrameWorker` to find its files.
if (location.protocol === "file:") {
    window.Worker = window.IFrameWorker = class extends EventTarget {
        constructor(url) {
            super();
            const frame = document.createElement("iframe");
            frame.hidden = true;
            this.ready = new Promise((resolve) => {
                frame.addEventListener("load", () => resolve(frame.contentWindow), { once: true });
            });
            frame.srcdoc = `<!DOCTYPE html><script>
                window.postMessage = (data) => frameElement.reply(data);
                window.importScripts = (...urls) => Promise.all(urls.map((url) => new Promise((done, failed) => {
                    const script = Object.assign(document.createElement("script"), {src: url, onload: done, onerror: failed});
                    document.head.append(script);
                })));
            </script><script src="${url}"></script>`;
            frame.reply = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
            document.documentElement.append(frame);
        }

        postMessage(data) {
            this.ready.then((target) => target.dispatchEvent(new MessageEvent("message", { data })));
        }
    };
}

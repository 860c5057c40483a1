import * as geometry from "/label/static/geometry.js";
import { HELP, command } from "/label/static/keys.js";
import { Past } from "/label/static/past.js";

const AREA = ["x1", "y1", "x2", "y2"];
const corners = (box) => AREA.map((name) => box[name]);
const same = (a, b) => a.part === b.part && AREA.every((name) => a[name] === b[name]);

export default {
  template: `
  <div class="pl-editor" :data-state="busy ? 'busy' : 'idle'">
    <div class="pl-stage" ref="stage"
         :style="{cursor: cursor}" @mousedown="press" @mousemove="over" @wheel.prevent="wheel" @dblclick="dbl" @contextmenu.prevent>
      <img v-if="shown && shown.url" :src="shown.url" :style="imageStyle" draggable="false"
           @error="broken = true" @load="broken = false" alt="">
      <img v-if="detail" :src="detail.url" :style="detailStyle" draggable="false" alt="">
      <svg v-if="shown && size" class="pl-overlay">
        <g v-for="(box, index) in drawn" :key="index" :class="{chosen: index === chosen}">
          <rect v-bind="box.rect" class="halo"/>
          <rect v-bind="box.rect" class="box" :stroke="box.colour"
                :stroke-dasharray="box.dashed ? '7 4' : null"
                :fill="box.colour" :fill-opacity="index === chosen ? 0.16 : 0.04"/>
          <g v-if="index === chosen && !drag">
            <rect v-for="handle in handles(box.rect)" :key="handle.name" class="handle"
                  :x="handle.x - 4" :y="handle.y - 4" width="8" height="8" :stroke="box.colour"/>
          </g>
        </g>
        <g v-for="(box, index) in drawn" :key="'t' + index" class="tag"
           :transform="'translate(' + box.tag.x + ',' + box.tag.y + ')'">
          <rect :width="box.tag.width" height="16" rx="3" :fill="box.colour"/>
          <text x="5" y="12">{{ box.words }}</text>
        </g>
        <g v-for="(box, index) in others" :key="'o' + index" class="other">
          <rect v-bind="box.rect"/>
          <text :x="box.rect.x + box.rect.width - 3" :y="box.rect.y + box.rect.height - 5">{{ box.words }}</text>
        </g>
        <line v-if="setup.derive && bottomLine !== null" class="bottom" x1="0" x2="100%"
              :y1="bottomLine" :y2="bottomLine"/>
        <text v-if="setup.derive && bottomLine !== null" class="bottom" x="8" :y="bottomLine - 5">
          vehicle's bottom: drag</text>
      </svg>
      <div v-if="armed && shown && !shown.problem" class="pl-armed" :style="{background: colour(armed)}">
        draw: {{ armed }}</div>
      <div v-if="shown && shown.notice" class="pl-notice">{{ shown.notice }}</div>
      <div v-if="!shown && !waiting" class="pl-empty">
        <h2>{{ empty.title }}</h2><p>{{ empty.words }}</p>
        <button class="pl-button" @click="act('previous')">previous image</button>
      </div>
      <div v-if="shown && (shown.problem || broken)" class="pl-empty">
        <h2>This image cannot be shown</h2>
        <p>{{ shown.problem || 'the browser cannot read it' }}</p>
        <button class="pl-button" @click="act('skip')">skip it <kbd>Shift S</kbd></button>
      </div>
      <div class="pl-tools">
        <button title="undo (Ctrl Z)" @click="act('undo')"><q-icon name="undo"/></button>
        <button title="redo (Ctrl Y)" @click="act('redo')"><q-icon name="redo"/></button>
        <i></i>
        <button title="zoom out ([)" @click="act('zoomOut')"><q-icon name="zoom_out"/></button>
        <button title="whole image (0)" @click="act('fit')"><q-icon name="fit_screen"/></button>
        <button title="zoom in (])" @click="act('zoomIn')"><q-icon name="zoom_in"/></button>
        <i></i>
        <button title="copy the boxes of the image before (Shift C)" @click="act('copy')"><q-icon name="content_copy"/></button>
        <button title="mean boxes of this vehicle (Shift M)" @click="act('usual')"
                :disabled="!shown || !shown.usual.length"><q-icon name="directions_car"/></button>
        <button title="remove the chosen box (Delete)" @click="act('remove')" :disabled="chosen < 0"><q-icon name="delete"/></button>
        <i></i>
        <button title="history (Shift H)" @click="act('history')"><q-icon name="history"/></button>
        <button title="keys (?)" @click="act('help')"><q-icon name="keyboard"/></button>
      </div>
      <transition name="fade"><div v-if="message" class="pl-message" :class="message.kind">{{ message.words }}</div></transition>
    </div>

    <aside class="pl-side">
      <section class="pl-about" v-if="shown">
        <div class="name" :title="shown.image">{{ shown.image }}</div>
        <div class="facts">
          <span v-for="(value, key) in shown.about" :key="key">{{ key }} <b>{{ value }}</b></span>
          <span v-if="labels.state !== 'open'" class="state">{{ labels.state }}</span>
          <span v-if="labels.reviewed" class="state">reviewed by {{ labels.reviewed }}</span>
        </div>
        <div class="why" v-if="shown.reason"><q-icon name="help_outline"/> {{ shown.reason }}</div>
      </section>

      <section class="pl-parts" :class="{two: setup.parts.length > 6}">
        <div v-for="part in setup.parts" :key="part.name" class="part"
             :class="{armed: part.name === armed, absent: labels.hidden.includes(part.name)}"
             @click="act('arm', {part: part.name})" @mouseenter="hover = part.name" @mouseleave="hover = null">
          <span class="swatch" :style="{background: part.colour}"></span>
          <span class="label" :title="part.name">{{ part.name }}</span>
          <span class="count" v-if="count(part.name)">{{ count(part.name) }}</span>
          <q-icon v-else-if="labels.hidden.includes(part.name)" name="visibility_off" title="not visible"/>
          <span v-else class="missing" title="missing">·</span>
          <kbd v-if="part.key">{{ part.key.toUpperCase() }}</kbd>
        </div>
      </section>

      <section class="pl-figure" v-if="setup.figure || meaning">
        <div class="figure" v-if="setup.figure" ref="figure" v-html="setup.figure"></div>
        <div class="meaning"><b v-if="topic" :style="{color: colour(topic)}">{{ topic }}</b> {{ meaning }}</div>
      </section>

      <section class="pl-findings" v-if="shown && findings.length">
        <div v-for="(finding, index) in findings.slice(0, 4)" :key="index" @click="chosen = finding.boxes[0] ?? -1">
          <q-icon name="warning_amber"/> {{ finding.message }}</div>
        <div v-if="findings.length > 4" class="more">and {{ findings.length - 4 }} more</div>
      </section>

      <section class="pl-flag" v-if="labels.flag">
        <q-icon name="flag"/><input :value="labels.flag" @change="reflag" placeholder="why?">
      </section>

      <div class="pl-gap"></div>

      <section class="pl-actions">
        <button class="pl-button" @click="act('skip')" title="Shift S">skip</button>
        <button class="pl-button" :class="{on: labels.flag}" @click="act('flag')" title="Shift F">flag</button>
        <button class="pl-button" @click="act('hideMissing')" title="no missing part is visible (Shift X)">rest hidden</button>
        <button class="pl-button main" @click="act('accept')" title="Enter">
          {{ setup.review ? 'approve' : 'accept all' }} <kbd>↵</kbd></button>
      </section>

      <section class="pl-progress" v-if="progress">
        <div class="bar"><div :style="{width: 100 * progress.done / Math.max(1, progress.total) + '%'}"></div></div>
        <div class="numbers">
          <span><b>{{ progress.done }}</b> of {{ progress.total }} images</span>
          <span v-if="progress.per_hour"><b>{{ Math.round(progress.per_hour) }}</b> an hour</span>
          <span v-if="progress.actions"><b>{{ progress.actions }}</b> actions each</span>
          <span :class="{busy: busy || unsaved}">{{ busy ? 'saving' : unsaved ? 'not saved' : 'saved' }}</span>
        </div>
        <div class="helper" :class="{failed: helper.failed}">
          <q-spinner v-if="helper.training" size="14px"/>
          <span>{{ helper.words }}</span>
          <button v-if="helper.can_train" class="pl-button" @click="act('train')">train now</button>
        </div>
      </section>
    </aside>

    <div v-if="dialog" class="pl-dialog" @click.self="dialog = null">
      <div class="card" v-if="dialog === 'help'">
        <h3>Keys</h3>
        <table><tr v-for="row in keys" :key="row[0]"><td>{{ row[0] }}</td><td>{{ row[1] }}</td></tr></table>
        <p>With the mouse: drag to draw the armed part, click a box to choose it, drag it, its corners or its edges; Shift click removes it.</p>
      </div>
      <div class="card" v-else>
        <h3>History of {{ shown.image }}</h3>
        <p v-if="!past.length">Nobody has changed it yet.</p>
        <table v-else><tr v-for="row in past" :key="row.revision">
          <td>{{ row.at }}</td><td>{{ row.by || 'someone' }}</td><td>{{ row.what }}</td>
          <td><button class="pl-button" @click="restore(row)">take this</button></td></tr></table>
      </div>
    </div>
  </div>`,

  props: { setup: Object },

  data() {
    return {
      shown: null,
      labels: { boxes: [], hidden: [], state: "open", flag: "", bottom: null, reviewed: "" },
      revision: 0,
      findings: [],
      progress: null,
      helper: { words: "" },
      chosen: -1,
      armed: null,
      hover: null,
      drag: null,
      cursor: "default",
      view: { scale: 1, x: 0, y: 0 },
      stage: { width: 1, height: 1 },
      detail: null,
      message: null,
      dialog: null,
      past: [],
      waiting: true,
      inFlight: false,
      unsaved: false, // the last change was refused by the disk
      broken: false,
      empty: { title: "", words: "" },
      keys: HELP,
    };
  },

  computed: {
    size() {
      return this.shown && this.shown.width
        ? { width: this.shown.width, height: this.shown.height }
        : null;
    },
    imageStyle() {
      if (!this.size) return { display: "none" };
      return {
        left: `${this.view.x}px`,
        top: `${this.view.y}px`,
        width: `${this.size.width * this.view.scale}px`,
        height: `${this.size.height * this.view.scale}px`,
        imageRendering: this.view.scale > 8 ? "pixelated" : "auto",
      };
    },
    detailStyle() {
      const rect = geometry.toStage(this.detail, this.size, this.view);
      return {
        left: `${rect.x}px`,
        top: `${rect.y}px`,
        width: `${rect.width}px`,
        height: `${rect.height}px`,
      };
    },
    drawn() {
      return this.visibleBoxes.map((box) => {
        const rect = geometry.toStage(box, this.size, this.view);
        const proposed = box.source === "detector" && box.proposed;
        const words = proposed ? `${box.part} ${box.score.toFixed(2)}` : box.part;
        return {
          rect,
          words,
          colour: this.colour(box.part),
          dashed: box.source !== "drawn",
          tag: {
            x: geometry.clamp(rect.x, 0, this.stage.width - 40),
            y: rect.y >= 17 ? rect.y - 17 : rect.y + 1,
            width: 6.6 * words.length + 10,
          },
        };
      });
    },
    others() {
      return this.shown.others.map((box) => ({
        rect: geometry.toStage(box, this.size, this.view),
        words: `${this.shown.against}: ${box.part}`,
      }));
    },
    visibleBoxes() {
      const boxes = this.labels.boxes;
      return this.drag && this.drag.box && this.drag.kind === "draw"
        ? [...boxes, this.drag.box]
        : boxes;
    },
    busy() {
      return this.waiting || this.inFlight;
    },
    bottomLine() {
      if (!this.size || this.labels.bottom === null) return null;
      return this.view.y + this.labels.bottom * this.size.height * this.view.scale;
    },
    missing() {
      return this.setup.parts.filter(
        (part) => !this.count(part.name) && !this.labels.hidden.includes(part.name),
      );
    },
    topic() {
      const box = this.labels.boxes[this.chosen];
      return this.hover || this.armed || (box && box.part) || (this.missing[0] || {}).name || null;
    },
    meaning() {
      const part = this.setup.parts.find((each) => each.name === this.topic);
      return part ? part.meaning : "";
    },
  },

  watch: {
    topic() {
      this.$nextTick(this.lightFigure);
    },
  },

  mounted() {
    this.undoing = new Past();
    this.queued = null;
    this.round = 0; // what waits for a save is given up when another image or change is shown
    this.actions = 0;
    this.since = performance.now();
    window.partreid = this; // for the browser's console, and for robots
    this.onKey = (event) => this.key(event);
    this.onMove = (event) => this.move(event);
    this.onUp = (event) => this.release(event);
    window.addEventListener("keydown", this.onKey);
    window.addEventListener("mousemove", this.onMove);
    window.addEventListener("mouseup", this.onUp);
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.$refs.stage);
    this.lightFigure();
    this.$emit("say", { what: "ready" });
  },

  unmounted() {
    window.removeEventListener("keydown", this.onKey);
    window.removeEventListener("mousemove", this.onMove);
    window.removeEventListener("mouseup", this.onUp);
    this.observer.disconnect();
  },

  methods: {
    // What the server says.
    show(payload) {
      this.waiting = false;
      this.inFlight = false;
      this.unsaved = false;
      this.queued = null;
      this.round += 1;
      this.progress = payload.progress;
      this.helper = payload.helper;
      this.chosen = -1;
      this.drag = null;
      this.detail = null;
      this.dialog = null;
      this.broken = false;
      this.actions = 0;
      this.since = performance.now();
      if (!payload.image) {
        this.shown = null;
        this.armed = null;
        this.empty = payload.empty;
        return;
      }
      this.shown = payload;
      this.undoing.meet(payload.image, payload.revision);
      this.adopt(payload.labels, payload.revision, payload.findings);
      if (payload.revision === 0) this.labels.boxes = payload.proposals.map((box) => ({ ...box }));
      if (this.labels.bottom === null && this.setup.derive) this.labels.bottom = payload.bottom;
      const fresh = payload.revision === 0 && !payload.proposals.length && !payload.problem;
      this.armed = fresh ? this.nextPart() : null;
      this.measure();
      this.fitView();
      for (const url of payload.coming) new Image().src = url;
    },
    saved(payload) {
      this.inFlight = false;
      if (!this.shown || payload.image !== this.shown.image) return;
      this.unsaved = false;
      this.revision = payload.revision;
      this.undoing.know(payload.image, payload.revision);
      this.findings = payload.findings;
      if (this.queued) {
        this.queued = null;
        this.send();
      } else if (!this.drag) {
        const box = this.labels.boxes[this.chosen];
        this.labels = payload.labels;
        if (box) this.chosen = this.labels.boxes.findIndex((each) => same(each, box));
        if (this.armed && this.full(this.armed)) this.armed = this.nextPart();
      }
    },
    conflict(payload) {
      this.waiting = false;
      this.inFlight = false;
      this.queued = null;
      this.round += 1;
      this.undoing.forget(payload.image, payload.revision);
      if (this.shown && payload.image === this.shown.image) {
        this.unsaved = false;
        this.drag = null;
        this.adopt(payload.labels, payload.revision, payload.findings);
      }
      this.tell(payload.message, "error", 8000);
    },
    failed(payload) {
      if (["save", "finish"].includes(payload.what)) {
        this.unsaved = true;
        this.queued = null; // it is sent with the next change, or before the page goes on
        this.round += 1;
      }
      if (payload.what === "save") this.inFlight = false;
      if (["finish", "next", "previous", "ready"].includes(payload.what)) this.waiting = false;
      this.tell(payload.message, "error", 10000);
    },
    offered(payload) {
      if (!this.shown || payload.image !== this.shown.image) return;
      if (!payload.boxes.length) return this.tell(payload.none);
      const parts = new Set(payload.boxes.map((box) => box.part));
      this.change(() => {
        this.labels.boxes.push(...payload.boxes.map((box) => ({ ...box })));
        this.labels.hidden = this.labels.hidden.filter((part) => !parts.has(part));
      });
    },
    status(payload) {
      this.helper = payload;
    },
    told(payload) {
      if (!this.shown || payload.image !== this.shown.image) return;
      this.past = payload.rows;
      this.dialog = "history";
    },

    adopt(labels, revision, findings) {
      this.labels = labels;
      this.revision = revision;
      this.findings = findings;
      this.chosen = -1;
    },

    // What the person does.
    key(event) {
      if (["INPUT", "TEXTAREA"].includes(event.target.tagName)) return;
      if (this.dialog) {
        if (event.key === "Escape" || event.key === "?") this.dialog = null;
        event.preventDefault();
        return;
      }
      const wanted = command(event, this.setup.parts, this.chosen >= 0);
      if (!wanted) return;
      event.preventDefault();
      if (this.drag) return; // the box is not yet what it will be
      // A key that is held down must not finish images that nobody has seen.
      if (event.repeat && ["accept", "skip", "flag"].includes(wanted.name)) return;
      this.act(wanted.name, wanted);
    },
    act(name, wanted = {}) {
      if (document.activeElement && document.activeElement.tagName === "BUTTON")
        document.activeElement.blur(); // or Enter would press it again
      if (!this.shown && !["previous", "help"].includes(name)) return;
      this.actions += 1;
      this[name](wanted);
    },
    accept() {
      if (this.shown.problem || this.broken) return this.skip(); // nobody has seen it
      const update = { state: "done" };
      if (this.setup.review) update.reviewed = this.setup.by || "someone";
      this.finish(update);
    },
    skip() {
      this.finish({ state: "skipped" });
    },
    finish(update) {
      this.settled(() => {
        this.waiting = true;
        this.undoing.know(this.shown.image, this.revision + 1);
        this.$emit("say", { what: "finish", ...this.account({ ...this.labels, ...update }) });
      });
    },
    next() {
      this.leave("next");
    },
    previous() {
      this.leave("previous");
    },
    leave(what) {
      if (this.unsaved && !this.waiting && !this.inFlight) this.send(); // it goes on if that is taken
      this.settled(() => {
        this.waiting = true;
        this.$emit("say", { what });
      });
    },
    // Do what ends this image when no save is under way, whose revision is needed.
    settled(doing, round = this.round) {
      if (this.waiting || round !== this.round) return;
      if (this.inFlight) setTimeout(() => this.settled(doing, round), 15);
      else doing();
    },
    arm({ part }) {
      this.armed = this.armed === part ? null : part;
      this.chosen = -1;
    },
    escape() {
      this.armed = null;
      this.chosen = -1;
    },
    remove() {
      if (this.chosen < 0) return;
      const [box] = this.labels.boxes.slice(this.chosen);
      this.change(() => {
        this.labels.boxes.splice(this.chosen, 1);
        // What is derived would come back.
        if (box.source === "derived") this.labels.hidden.push(box.part);
      });
      this.chosen = -1;
    },
    hide() {
      const box = this.labels.boxes[this.chosen];
      const part = this.armed || (box && box.part) || (this.missing[0] || {}).name;
      if (!part) return;
      this.change(() => {
        const hidden = this.labels.hidden;
        if (hidden.includes(part)) this.labels.hidden = hidden.filter((each) => each !== part);
        else {
          hidden.push(part);
          this.labels.boxes = this.labels.boxes.filter((each) => each.part !== part);
        }
      });
      this.chosen = -1;
      if (this.armed) this.armed = this.nextPart();
    },
    hideMissing() {
      const parts = this.missing.map((part) => part.name);
      if (!parts.length) return;
      this.change(() => this.labels.hidden.push(...parts));
      this.armed = null;
    },
    cycle({ by }) {
      const count = this.labels.boxes.length;
      if (!count) return;
      this.armed = null;
      this.chosen = this.chosen < 0 ? (by > 0 ? 0 : count - 1) : (this.chosen + by + count) % count;
    },
    nudge({ by, step, resize }) {
      const box = this.labels.boxes[this.chosen];
      if (!this.size) return;
      const dx = (by[0] * step) / this.size.width;
      const dy = (by[1] * step) / this.size.height;
      const to = resize
        ? geometry.resized(box, "se", {
            x: geometry.clamp(box.x2 + dx, 0, 1),
            y: geometry.clamp(box.y2 + dy, 0, 1),
          })
        : geometry.moved(box, dx, dy);
      if (geometry.largeEnough(to, this.size)) this.change(() => this.place(this.chosen, to));
    },
    undo() {
      if (this.waiting) return;
      this.recall(this.undoing.undo(this.shown.image, this.labels), "nothing to undo");
    },
    redo() {
      if (this.waiting) return;
      this.recall(this.undoing.redo(this.shown.image, this.labels), "nothing to redo");
    },
    recall(labels, otherwise) {
      if (!labels) return this.tell(otherwise);
      this.labels = labels;
      this.chosen = -1;
      this.send();
    },
    flag() {
      this.change(() => (this.labels.flag = this.labels.flag ? "" : "look again"));
    },
    reflag(event) {
      this.change(() => (this.labels.flag = event.target.value.trim() || "look again"));
      event.target.blur();
    },
    copy() {
      this.$emit("say", { what: "copy", image: this.shown.image });
    },
    usual() {
      const shownParts = new Set(this.labels.boxes.map((box) => box.part));
      const boxes = this.shown.usual.filter((box) => !shownParts.has(box.part));
      this.offered({ image: this.shown.image, boxes, none: "no other image of this vehicle shows a part that is missing" });
    },
    history() {
      this.$emit("say", { what: "history", image: this.shown.image });
    },
    restore(row) {
      this.change(() => (this.labels = { ...row.labels, state: this.labels.state }));
      this.dialog = null;
    },
    train() {
      this.$emit("say", { what: "train" });
    },
    zoomIn() {
      this.zoom(1.4);
    },
    zoomOut() {
      this.zoom(1 / 1.4);
    },
    fit() {
      this.fitView();
    },
    help() {
      this.dialog = "help";
    },

    // Changes.
    change(doing) {
      if (this.waiting) return; // for the next image: this one is given away
      this.undoing.push(this.shown.image, this.labels);
      this.labels = JSON.parse(JSON.stringify(this.labels));
      doing();
      this.send();
    },
    place(index, to) {
      const box = this.labels.boxes[index];
      const source = box.source === "derived" ? "drawn" : box.source;
      this.labels.boxes[index] = { ...box, ...to, source };
    },
    send() {
      if (this.inFlight) {
        this.queued = true;
        return;
      }
      this.inFlight = true;
      this.$emit("say", { what: "save", ...this.account(this.labels) });
    },
    account(labels) {
      const now = performance.now();
      const message = {
        labels: { ...this.still(labels), image: this.shown.image },
        follows: this.revision,
        actions: this.actions,
        seconds: (now - this.since) / 1000,
      };
      [this.actions, this.since] = [0, now];
      return message;
    },

    // Labels as they were before the drag that goes on, which is saved when it ends.
    still(labels) {
      const { kind, index, from } = this.drag || {};
      if (kind === "bottom") return { ...labels, bottom: from };
      if (kind !== "move" && kind !== "resize") return labels;
      return { ...labels, boxes: labels.boxes.map((box, place) => (place === index ? from : box)) };
    },

    // The mouse.
    point(event) {
      const rect = this.$refs.stage.getBoundingClientRect();
      return { x: event.clientX - rect.left, y: event.clientY - rect.top };
    },
    press(event) {
      if (!this.size || this.waiting || this.shown.problem || event.target.closest(".pl-tools, .pl-empty")) return;
      const at = this.point(event);
      const start = geometry.toImage(at, this.size, this.view);
      if (event.button !== 0 || event.ctrlKey) {
        this.drag = { kind: "pan", at, view: { ...this.view } };
        return;
      }
      event.preventDefault();
      if (event.shiftKey) {
        this.chosen = geometry.boxAt(this.labels.boxes, start);
        this.act("remove");
        return;
      }
      const held = this.armed ? null : this.handleAt(at);
      if (held) {
        this.chosen = held.index;
        this.drag = { kind: "resize", ...held, from: { ...this.labels.boxes[held.index] }, start };
        return;
      }
      if (this.bottomLine !== null && this.setup.derive && Math.abs(at.y - this.bottomLine) <= 5 && !this.armed) {
        this.drag = { kind: "bottom", from: this.labels.bottom };
        return;
      }
      const index = this.armed ? -1 : geometry.boxAt(this.labels.boxes, start);
      if (index >= 0) {
        this.chosen = index;
        this.drag = { kind: "move", index, from: { ...this.labels.boxes[index] }, start };
      } else {
        this.chosen = -1;
        const part = this.armed || this.nextPart();
        if (part) this.drag = { kind: "draw", part, start, box: null };
      }
    },
    move(event) {
      if (!this.drag) return;
      if (!event.buttons) return this.release(); // let go outside the window
      const at = this.point(event);
      const drag = this.drag;
      if (drag.kind === "pan") {
        this.view.x = drag.view.x + at.x - drag.at.x;
        this.view.y = drag.view.y + at.y - drag.at.y;
        this.wantDetail();
        return;
      }
      const now = geometry.toImage(at, this.size, this.view);
      if (drag.kind === "draw")
        drag.box = { part: drag.part, ...geometry.between(drag.start, now), source: "drawn", score: 1, proposed: null };
      else if (drag.kind === "bottom") this.labels.bottom = now.y;
      else if (drag.kind === "move")
        Object.assign(this.labels.boxes[drag.index], geometry.moved(drag.from, now.x - drag.start.x, now.y - drag.start.y));
      else Object.assign(this.labels.boxes[drag.index], geometry.resized(drag.from, drag.handle, now));
      drag.changed = true;
    },
    release() {
      const drag = this.drag;
      this.drag = null;
      if (!drag || drag.kind === "pan") return;
      this.actions += 1;
      if (!drag.changed) return;
      if (drag.kind === "draw") {
        if (!geometry.largeEnough(drag.box, this.size)) return;
        this.change(() => {
          this.labels.boxes.push(drag.box);
          this.labels.hidden = this.labels.hidden.filter((part) => part !== drag.part);
        });
        if (this.full(drag.part)) this.armed = this.armed ? this.nextPart() : null;
        return;
      }
      if (drag.kind === "bottom") {
        const to = this.labels.bottom;
        this.labels.bottom = drag.from;
        this.change(() => (this.labels.bottom = to));
        return;
      }
      const to = { ...this.labels.boxes[drag.index] };
      Object.assign(this.labels.boxes[drag.index], drag.from);
      if (geometry.largeEnough(to, this.size) && corners(to).some((v, i) => v !== corners(drag.from)[i]))
        this.change(() => this.place(drag.index, to));
    },
    over(event) {
      if (this.drag || !this.size) return;
      const at = this.point(event);
      const held = this.armed ? null : this.handleAt(at);
      if (held) this.cursor = `${held.handle}-resize`;
      else if (!this.armed && geometry.boxAt(this.labels.boxes, geometry.toImage(at, this.size, this.view)) >= 0)
        this.cursor = "move";
      else this.cursor = this.armed ? "crosshair" : "default";
    },
    wheel(event) {
      if (this.size) this.zoom(Math.exp(-event.deltaY / 400), this.point(event));
    },
    dbl(event) {
      if (this.size && !event.target.closest(".pl-tools")) this.fitView();
    },

    // The view.
    measure() {
      const rect = this.$refs.stage.getBoundingClientRect();
      const first = this.stage.width <= 1;
      this.stage = { width: rect.width, height: rect.height };
      if (first && this.size) this.fitView();
    },
    fitView() {
      if (!this.size) return;
      this.view = geometry.fit(this.size.width, this.size.height, this.stage.width, this.stage.height);
      this.detail = null;
    },
    zoom(factor, at) {
      if (!this.size) return;
      const whole = geometry.fit(this.size.width, this.size.height, this.stage.width, this.stage.height);
      const middle = { x: this.stage.width / 2, y: this.stage.height / 2 };
      this.view = geometry.zoomed(this.view, factor, at || middle, whole.scale / 2, Math.max(whole.scale, 1) * 16);
      this.wantDetail();
    },
    wantDetail() {
      if (!this.shown.reduced) return;
      clearTimeout(this.soon);
      this.soon = setTimeout(() => {
        if (!this.shown || this.view.scale < this.shown.reduced) return (this.detail = null);
        const low = geometry.toImage({ x: 0, y: 0 }, this.size, this.view);
        const high = geometry.toImage({ x: this.stage.width, y: this.stage.height }, this.size, this.view);
        const box = geometry.between(low, high);
        const query = new URLSearchParams({ image: this.shown.image, ...box });
        this.detail = { ...box, url: `/label/region?${query}` };
      }, 250);
    },
    // The corner or edge under the mouse: of the chosen box before others, of small before large.
    handleAt(at) {
      const rects = this.labels.boxes.map((box) => geometry.toStage(box, this.size, this.view));
      const order = rects.map((rect, index) => index);
      const area = (index) => (index === this.chosen ? 0 : rects[index].width * rects[index].height);
      order.sort((a, b) => area(a) - area(b));
      for (const near of [geometry.atCorner, geometry.atEdge])
        for (const index of order) {
          const handle = near(rects[index], at);
          if (handle) return { index, handle };
        }
      return null;
    },
    handles(rect) {
      return geometry.HANDLES.map((name) => ({ name, ...geometry.handlePoint(rect, name) }));
    },

    // Parts.
    part(name) {
      return this.setup.parts.find((each) => each.name === name);
    },
    colour(name) {
      return (this.part(name) || { colour: "#888888" }).colour;
    },
    count(name) {
      return this.labels.boxes.filter((box) => box.part === name).length;
    },
    full(name) {
      return this.count(name) >= this.part(name).count;
    },
    nextPart() {
      const part = this.setup.parts.find(
        (each) => !this.full(each.name) && !this.labels.hidden.includes(each.name) && !each.derived,
      );
      return part ? part.name : null;
    },
    lightFigure() {
      if (!this.$refs.figure) return;
      for (const group of this.$refs.figure.querySelectorAll("[data-part]")) {
        const on = group.dataset.part === this.topic;
        group.classList.toggle("active", on);
        group.style.setProperty("--part-colour", this.colour(group.dataset.part));
      }
    },
    tell(words, kind = "", long = 2500) {
      this.message = { words, kind };
      clearTimeout(this.quiet);
      this.quiet = setTimeout(() => (this.message = null), long);
    },
  },
};

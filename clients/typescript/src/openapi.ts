// Generated from the OpenAPI document of the server by "npm run types". Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Accepted: {
            /** @description Id of the capture. */
            capture_id: string;
            /**
             * @description Always accepted: the capture is stored and will end.
             * @enum {string}
             */
            status: "accepted";
            /** @description URL of the capture. */
            status_url: string;
        };
        AcceptedBatch: {
            /** @description Id of the batch. */
            batch_id: string;
            /** @description Ids of the captures, in the order of the request. */
            capture_ids: string[] | null;
            /**
             * @description Always accepted: every capture is stored and will end.
             * @enum {string}
             */
            status: "accepted";
            /** @description URL of the batch. */
            status_url: string;
        };
        AccountBody: {
            /** @description Limits of its own, by name; null: the setting of the server; 0: no limit. */
            limits?: {
                [key: string]: number | null;
            };
            /** @description Whose account it is. */
            name?: string;
        };
        AccountInfo: {
            /**
             * Format: date-time
             * @description When it was deleted; it is listed until all of it is removed.
             */
            closed_at?: string;
            /**
             * Format: date-time
             * @description When the account was created.
             */
            created_at: string;
            /** @description Id of the account. */
            id: string;
            /** @description Limits of its own, by name. For the others the settings of the server hold. */
            limits: {
                [key: string]: number;
            };
            /** @description Whose account it is. */
            name?: string;
            /**
             * Format: int64
             * @description Captures that have not ended.
             */
            pending: number;
            /**
             * Format: int64
             * @description Captures that are rendered now.
             */
            running: number;
        };
        AccountPage: {
            /** @description Newest first. */
            accounts: components["schemas"]["AccountInfo"][] | null;
            /** @description Value of cursor for the next page; absent on the last page. */
            next_cursor?: string;
        };
        Asset: {
            /** @description The file, as base64. */
            data: string;
            /** @description Relative path under which the document refers to the file, such as img/logo.png. */
            name: string;
        };
        Attempt: {
            answer?: string;
            /** Format: date-time */
            at: string;
            error?: string;
            /** Format: int64 */
            latency_ms: number;
            /** Format: date-time */
            next_attempt_at?: string;
            /** Format: int64 */
            number: number;
            /** @enum {string} */
            outcome: "delivered" | "status" | "timeout" | "connection_failed" | "tls_error" | "name_not_resolved" | "address_blocked";
            request?: components["schemas"]["SentRequest"];
            /** Format: int64 */
            status?: number;
        };
        BannerReport: {
            outcome: string;
            tool?: string;
        };
        BatchBody: {
            /** @description Receives one event when all have ended. */
            batch_callback_url?: string;
            /** @description Of captures without their own. */
            callback_url?: string;
            /** @description Each overrides options. */
            captures?: components["schemas"]["Options"][] | null;
            /** @description Of the batch, at most 1 KiB; options.metadata is that of captures. */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /** @description Options of all captures. */
            options?: components["schemas"]["Options"];
            /** @description Pages. Give these or captures. */
            urls?: string[] | null;
        };
        BatchEvent: {
            /**
             * @description Id of the batch.
             * @example bat_01jd8x6v3m2k9q4t7w5z0a1b2c
             */
            batch_id: string;
            /** @description Captures by state. */
            counts: components["schemas"]["Counts"];
            /**
             * Format: date-time
             * @description When the batch was accepted: UTC, whole seconds.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When the last capture ended.
             */
            ended_at?: string;
            /**
             * @description Always batch.
             * @enum {string}
             */
            event: "batch";
            /** @description The metadata of the request. */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /**
             * @description ended when every capture has ended.
             * @enum {string}
             */
            status: "running" | "ended";
        };
        BatchPage: {
            /** @description Newest first. */
            batches: components["schemas"]["BatchRecord"][] | null;
            /** @description Value of cursor for the next page; absent on the last page. */
            next_cursor?: string;
        };
        BatchRecord: {
            /**
             * @description Id of the batch.
             * @example bat_01jd8x6v3m2k9q4t7w5z0a1b2c
             */
            batch_id: string;
            /** @description URL of the list of its captures. */
            captures_url: string;
            /** @description Captures by state. */
            counts: components["schemas"]["Counts"];
            /**
             * Format: date-time
             * @description When the batch was accepted: UTC, whole seconds.
             */
            created_at: string;
            /** @description The callbacks of the batch itself. Not in lists. */
            deliveries?: components["schemas"]["Delivery"][];
            /**
             * Format: date-time
             * @description When the last capture ended.
             */
            ended_at?: string;
            /** @description The metadata of the request. */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /**
             * @description ended when every capture has ended.
             * @enum {string}
             */
            status: "running" | "ended";
            /** @description URL of the batch. */
            status_url: string;
        };
        ConsoleReport: {
            /** Format: int64 */
            dropped?: number;
            /** Format: int64 */
            errors: number;
            texts?: string[] | null;
            /** Format: int64 */
            warnings: number;
        };
        Cookie: {
            domain?: string;
            name: string;
            path?: string;
            value: string;
        };
        Counts: {
            /**
             * Format: int64
             * @description Canceled captures.
             */
            canceled: number;
            /**
             * Format: int64
             * @description Captures that ended without a picture.
             */
            failed: number;
            /**
             * Format: int64
             * @description Captures that wait.
             */
            queued: number;
            /**
             * Format: int64
             * @description Captures that are rendered now.
             */
            running: number;
            /**
             * Format: int64
             * @description Captures that ended with a picture.
             */
            success: number;
            /**
             * Format: int64
             * @description All captures.
             */
            total: number;
        };
        Delivery: {
            attempts: components["schemas"]["Attempt"][] | null;
            batch_id?: string;
            capture_id?: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at?: string;
            event: string;
            id: string;
            /** Format: date-time */
            next_attempt_at?: string;
            state: string;
            store?: string;
            url: string;
            waiting_for?: string;
        };
        DeliveryPage: {
            /** @description Newest first, each with its attempts. */
            deliveries: components["schemas"]["Delivery"][] | null;
            /** @description Value of cursor for the next page; absent on the last page. */
            next_cursor?: string;
        };
        DeliveryRecord: {
            attempts: components["schemas"]["Attempt"][] | null;
            batch_id?: string;
            /** @description The event, as it is sent. A callback_format that sends the picture has it as its body instead. */
            body?: string;
            capture_id?: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at?: string;
            event: string;
            id: string;
            /** Format: date-time */
            next_attempt_at?: string;
            state: string;
            store?: string;
            url: string;
            waiting_for?: string;
        };
        Device: {
            /** Format: int64 */
            height: number;
            mobile: boolean;
            name: string;
            /** Format: double */
            scale: number;
            /** Format: int64 */
            screen_height: number;
            /** Format: int64 */
            screen_width: number;
            touch: boolean;
            user_agent: string;
            /** Format: int64 */
            width: number;
        };
        DeviceList: {
            /** @description Presets of the option device. */
            devices: components["schemas"]["Device"][] | null;
        };
        Error: {
            code: string;
            message: string;
        };
        FieldError: {
            location: string;
            message: string;
            value?: unknown;
        };
        FontReport: {
            /** Format: int64 */
            missing: number;
            named?: string[] | null;
        };
        Inbox: {
            /**
             * @description How it answers: with this status, or slow for no answer within the timeout of an attempt.
             * @enum {string}
             */
            answer: "200" | "500" | "410" | "slow";
            /** @description Newest first. */
            events: components["schemas"]["InboxEvent"][] | null;
            /** @description Value of cursor for the next page; absent on the last page. */
            next_cursor?: string;
            /** @description The callback_url that leads here; the same for every account. */
            url: string;
        };
        InboxChange: {
            /**
             * @description How the inbox answers from now on.
             * @enum {string}
             */
            answer: "200" | "500" | "410" | "slow";
        };
        InboxCheck: {
            /** @description Whether it is right. */
            ok: boolean;
            /**
             * @description What was found.
             * @example matches.
             */
            text: string;
            /**
             * @description Header or secret.
             * @example webhook-signature
             */
            what: string;
        };
        InboxEvent: {
            /**
             * Format: int64
             * @description Milliseconds from the end of the capture or batch until it arrived.
             */
            after_ms: number;
            /**
             * @description How the inbox answered.
             * @enum {string}
             */
            answer: "200" | "500" | "410" | "slow";
            /**
             * Format: int64
             * @description Which attempt of its delivery it is, from 1.
             */
            attempt: number;
            /** @description The batch that has ended. */
            batch_id?: string;
            /** @description The first 65,536 bytes; empty if the body is a picture. */
            body: string;
            /**
             * Format: int64
             * @description Size of the whole body.
             */
            body_bytes: number;
            /** @description The capture that has ended. */
            capture_id?: string;
            /** @description What was checked, and why it is not verified. */
            checks: components["schemas"]["InboxCheck"][] | null;
            /** @description As they arrived. Values of callback_headers are hidden. */
            headers: {
                [key: string]: string;
            };
            /** @description evt_ and 26 characters. */
            id: string;
            /** @description POST, or what callback_method says. */
            method: string;
            /**
             * Format: date-time
             * @description When it arrived.
             */
            received_at: string;
            /**
             * @description What it is about.
             * @enum {string}
             */
            type: "capture" | "batch" | "test";
            /** @description The address that it was sent to. */
            url: string;
            /** @description Whether its signature and its time are right. */
            verified: boolean;
            /** @description The id of the delivery, the same for each of its attempts. A test event has none. */
            webhook_id: string;
        };
        Issued: {
            /** @description Account that the key belongs to. */
            account: string;
            /** @description Secret of the older API, if one was asked for. */
            api_secret?: string;
            /**
             * Format: date-time
             * @description From when the key is refused; absent if never.
             */
            expires_at?: string;
            /** @description The key. It is shown only here. */
            key: string;
            /** @description What the key is for. */
            name?: string;
            /** @description What the key may do: capture, read, admin. */
            scopes?: string[] | null;
            /** @description Webhook secret of a new account. It is shown only here. */
            webhook_secret?: string;
        };
        Key: {
            /** @description Account that the key belongs to. */
            account: string;
            /**
             * Format: date-time
             * @description When the key was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description From when the key is refused; absent if never.
             */
            expires_at?: string;
            /**
             * Format: date-time
             * @description When the key was last used, to the minute; absent if never.
             */
            last_used_at?: string;
            /** @description What the key is for. */
            name?: string;
            /**
             * @description The first characters of the key, which name it.
             * @example sp_3kT9xQ2a
             */
            prefix: string;
            /**
             * Format: date-time
             * @description When the key was revoked; absent if it was not.
             */
            revoked_at?: string;
            /** @description What the key may do: capture, read, admin. */
            scopes: string[] | null;
        };
        KeyBody: {
            /**
             * Format: date-time
             * @description From when the key is refused; never by default.
             */
            expires_at?: string;
            /** @description What the key is for. */
            name?: string;
            /** @description What the key may do; capture and read by default. */
            scopes?: ("capture" | "read" | "admin")[] | null;
        };
        KeyList: {
            /** @description Oldest first, revoked and expired ones included. */
            keys: components["schemas"]["Key"][] | null;
        };
        LinkSecret: {
            /**
             * Format: date-time
             * @description When the secret was created.
             */
            created_at: string;
            /** @description Id of the secret, which every link that it signs contains. */
            id: string;
            /** @description The secret. It is shown only when it is created. */
            secret?: string;
        };
        LinkSecretList: {
            /** @description Newest first, without their texts. */
            secrets: components["schemas"]["LinkSecret"][] | null;
        };
        Node: {
            /**
             * Format: int64
             * @description Milliseconds by which its clock is ahead of the database's; negative: behind.
             */
            clock_ahead_ms: number;
            /**
             * Format: date-time
             * @description When it ended, or was found dead; for an hour afterwards.
             */
            ended_at?: string;
            /** @description Id of the node. A process that was cut off for long goes on under another. */
            id: string;
            /**
             * Format: date-time
             * @description When it last said that it lives, by the clock of the database.
             */
            last_seen: string;
            /** @description Whether it is the one that removes what has expired and looks after the queue. */
            leads: boolean;
            /** @description Name of its machine, or the one that SAVEPAGE_NODE_NAME gives. */
            name: string;
            /**
             * Format: int64
             * @description Pages that it renders at once; 0 without the role render.
             */
            pages: number;
            /** @description Its tasks. */
            roles: ("api" | "render" | "deliver")[] | null;
            /**
             * Format: int64
             * @description Captures that it renders now.
             */
            running: number;
            /**
             * Format: date-time
             * @description When it began, by the clock of the database.
             */
            since: string;
            /** @description Version of the program. */
            version: string;
        };
        NodeList: {
            /** @description In the order in which they began. Those that have ended stay for an hour. */
            nodes: components["schemas"]["Node"][] | null;
        };
        Options: {
            /**
             * @description Accept-Language of all requests and the languages of the page's scripts.
             * @example en-US,en;q=0.9
             */
            accept_language?: string;
            /**
             * @description freeze: animations that end are shown at their end, endless ones at the same moment in every picture, and the text cursor is hidden. allow: capture the page as it moves. Default: freeze.
             * @enum {string}
             */
            animations?: "freeze" | "allow";
            /**
             * @description Files that the document of html refers to by relative addresses: a list of name and data (base64), at most 2 MiB together. They are served from beside the document, in place of what is there.
             * @example [
             *       {
             *         "data": "aDF7Y29sb3I6cmVkfQ==",
             *         "name": "style.css"
             *       }
             *     ]
             */
            assets?: components["schemas"]["Asset"][] | null;
            /** @description Answer 202 at once, without a callback. Default: false. */
            async?: boolean;
            /**
             * @description Authorization header, sent to the page's own origin only.
             * @example Bearer TOKEN
             */
            authorization?: string;
            /**
             * @description Colour behind a page without a background, in hexadecimal as in CSS, with or without the #; white by default. Formats: png, jpeg, webp.
             * @example #f5f5f5
             */
            background?: string;
            /**
             * @description Where the document of html stands: its relative addresses, its origin, cookies and headers are those of this address. Nothing is fetched from the address itself. Without it the document has an origin of its own.
             * @example https://example.com/articles/
             */
            base_url?: string;
            /** @description Load no advertisements and hide their places (EasyList). Default: false. */
            block_ads?: boolean;
            /** @description Load no chat widgets and hide their buttons. Default: false. */
            block_chats?: boolean;
            /** @description Reject cookies in the page's cookie banner, or hide the banner; never accept. report.cookie_banner names the outcome. Default: false. */
            block_cookie_banners?: boolean;
            /**
             * @description Load no resources of these kinds. The page itself is always loaded.
             * @example [
             *       "image",
             *       "font"
             *     ]
             */
            block_resources?: ("image" | "stylesheet" | "font" | "script" | "media" | "xhr" | "fetch" | "eventsource" | "websocket" | "frame" | "ping" | "other")[] | null;
            /** @description Load no trackers (EasyPrivacy). Default: false. */
            block_trackers?: boolean;
            /**
             * @description Load nothing from URLs that match one of these patterns. A pattern covers the whole URL; * stands for any characters, ? for one.
             * @example [
             *       "*://ads.example/*"
             *     ]
             */
            block_urls?: string[] | null;
            /**
             * Format: int64
             * @description Maximum age in seconds of an existing picture of the same options that may be returned instead of a new one. Equal captures at the same time are rendered once. 0 always renders. Default: 0.
             */
            cache_ttl?: number;
            /**
             * @description Where the callback of a failure goes, instead of callback_url.
             * @example https://myapp.example.com/failed
             */
            callback_error_url?: string;
            /**
             * @description Name of the file in the Content-Disposition of a callback that has the picture as its body, without the extension; the id of the capture by default.
             * @example report
             */
            callback_filename?: string;
            /**
             * @description What the callback looks like; event by default. event: JSON that describes the capture. file: the picture itself, with its Content-Type; a failure is an event. gotenberg, screenshotone, screenshotone_json, urlbox: what receivers of these services expect, with their signature where they have one.
             * @enum {string}
             */
            callback_format?: "event" | "file" | "gotenberg" | "screenshotone" | "screenshotone_json" | "urlbox";
            /** @description Up to 10 headers of the callback, such as Authorization. No answer contains them. */
            callback_headers?: {
                [key: string]: string;
            };
            /**
             * @description HTTP method of the callback; POST by default.
             * @enum {string}
             */
            callback_method?: "POST" | "PUT" | "PATCH";
            /**
             * @description Ends of the capture that are told; both by default.
             * @example [
             *       "failed"
             *     ]
             */
            callback_on?: ("success" | "failed")[] | null;
            /** @description Secret that signs the callback of this capture instead of the account's secret: whsec_ and base64 of 24 to 64 bytes. No answer contains it. */
            callback_secret?: string;
            /**
             * @description Answer 202 at once, and POST the result to this URL when the capture has ended.
             * @example https://myapp.example.com/hook
             */
            callback_url?: string;
            /**
             * @description CSS selectors. Click the first visible element of each, in this order, and let the page settle after each click.
             * @example [
             *       "#open"
             *     ]
             */
            click?: string[] | null;
            /**
             * @description Capture this rectangle, in CSS pixels from the upper left corner of the page. What lies beyond the page is left out, and report.truncated is then true. Formats: png, jpeg, webp.
             * @example 0,100,800,600
             */
            clip?: string | {
                /** @description CSS pixels. From 1 to 200000. */
                height: number;
                /** @description CSS pixels. From 1 to 20000. */
                width: number;
                /** @description CSS pixels from the page's left edge. From 0 to 200000. */
                x: number;
                /** @description CSS pixels from the page's top. From 0 to 200000. */
                y: number;
            };
            /**
             * @description Value of the media feature prefers-color-scheme.
             * @enum {string}
             */
            color_scheme?: "light" | "dark";
            /**
             * @description Cookies: a list of name, value, domain and path, or the text of a Cookie header. A cookie without a domain is sent to the page's own origin only.
             * @example a=1; b=2
             */
            cookies?: string | components["schemas"]["Cookie"][];
            /**
             * @description Style sheet to add. The page's content security policy does not apply to it.
             * @example header { display: none }
             */
            css?: string;
            /**
             * Format: int64
             * @description Additional wait in milliseconds. Of a full page and a pdf, the whole page is loaded before it, so that it holds for all of it. Default: 0.
             */
            delay?: number;
            /**
             * @description Device preset (GET /v1/devices). It sets viewport, scale, touch, mobile layout and user agent; explicit options override it.
             * @example iPhone 15
             */
            device?: string;
            /**
             * @description Fail when the page's HTTP status is 4xx or 5xx, when the picture has one colour only (blank), when a request of the page fails (request_failed), or when something stands in the place of the page (wall, or one kind of it: captcha, challenge, login, consent, error_page; report.wall names it).
             * @example [
             *       "4xx",
             *       "5xx"
             *     ]
             */
            fail_on?: ("4xx" | "5xx" | "blank" | "request_failed" | "wall" | "captcha" | "challenge" | "login" | "consent" | "error_page")[] | null;
            /**
             * @description Fail when the page shows one of these texts. Case and spaces make no difference. One text alone can be a string.
             * @example [
             *       "Out of stock"
             *     ]
             */
            fail_on_text?: string[] | null;
            /**
             * @description File format. A pdf contains the whole page, as printed. Default: png.
             * @enum {string}
             */
            format?: "png" | "jpeg" | "jpg" | "webp" | "pdf";
            /** @description Capture the whole scrollable page. Default: false. */
            fullpage?: boolean;
            /**
             * @description Position that the geolocation API returns. Only the page's own origin may read it.
             * @example 47.37,8.54
             */
            geolocation?: string | {
                /** @description Metres. From 0 to 100000. */
                accuracy?: number;
                /** @description Degrees north. From -90 to 90. */
                latitude: number;
                /** @description Degrees east. From -180 to 180. */
                longitude: number;
            };
            /**
             * @description Request headers, sent to the page's own origin only.
             * @example {
             *       "X-Team": "blue"
             *     }
             */
            headers?: {
                [key: string]: string;
            };
            /**
             * Format: int64
             * @description Viewport height in CSS pixels. Default: 900.
             */
            height?: number;
            /**
             * @description CSS selectors. Hide every element that matches, including those added later.
             * @example [
             *       ".banner"
             *     ]
             */
            hide?: string[] | null;
            /**
             * @description HTML document to capture instead of a URL.
             * @example <h1>Hello</h1>
             */
            html?: string;
            /**
             * @description Script to run when the page has loaded, with the rights of the page. It may use await, a promise that it returns is awaited, and the page settles again afterwards.
             * @example document.title = 'Hello'
             */
            js?: string;
            /**
             * @description Locale, as a BCP 47 tag. It decides how numbers and dates are formatted, and Accept-Language unless that is given.
             * @example de-CH
             */
            locale?: string;
            /**
             * Format: int64
             * @description Cut a full page at this height in CSS pixels; report.truncated is then true. Without it the server's limit applies. Formats: png, jpeg, webp.
             */
            max_height?: number;
            /**
             * @description Medium whose styles apply: print for a pdf, else screen, by default.
             * @enum {string}
             */
            media?: "screen" | "print";
            /**
             * @description A string or a flat object, at most 1 KiB, that every answer and callback returns unchanged.
             * @example {
             *       "order": 17
             *     }
             */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /**
             * @description At the timeout, fail, or capture the page as it is; report.partial is then true, and report.reasons names what was awaited. A page that has not answered at all fails in both cases. Default: fail.
             * @enum {string}
             */
            on_timeout?: "fail" | "capture";
            /** @description Print backgrounds. Formats: pdf. Default: true. */
            pdf_background?: boolean;
            /** @description Use the paper that the page's own style names (@page), where it names one. Formats: pdf. Default: false. */
            pdf_css_page_size?: boolean;
            /**
             * @description HTML in the lower margin of every page, as pdf_header. Formats: pdf.
             * @example Page <span class=pageNumber></span>
             */
            pdf_footer?: string;
            /**
             * @description HTML in the upper margin of every page. Elements of the classes pageNumber, totalPages, title, url and date are filled in. The page's styles do not apply, and nothing is loaded but data: URLs. Formats: pdf.
             * @example <span class=title></span>
             */
            pdf_header?: string;
            /**
             * @description Height of the paper, in mm, cm, in, px or pt, instead of pdf_paper. Formats: pdf.
             * @example 99mm
             */
            pdf_height?: string;
            /** @description Print in landscape. Formats: pdf. Default: false. */
            pdf_landscape?: boolean;
            /**
             * @description Page margins: one, two or four lengths as in CSS, in mm, cm, in, px or pt; 10mm by default. Formats: pdf.
             * @example 10mm 15mm
             */
            pdf_margin?: string;
            /** @description Give the pdf an outline, made of the page's headings. Formats: pdf. Default: true. */
            pdf_outline?: boolean;
            /** @description Print the number of each page and of all pages in the lower margin. Not together with pdf_footer. Formats: pdf. Default: false. */
            pdf_page_numbers?: boolean;
            /**
             * @description Pages to print. Formats: pdf.
             * @example 1-3,5,8-
             */
            pdf_pages?: string;
            /**
             * @description Paper size; a4 by default. Formats: pdf.
             * @enum {string}
             */
            pdf_paper?: "a0" | "a1" | "a2" | "a3" | "a4" | "a5" | "a6" | "letter" | "legal" | "tabloid" | "ledger";
            /**
             * Format: double
             * @description Scale of the printed page; 1 by default. Formats: pdf.
             */
            pdf_scale?: number;
            /** @description Print everything on one long page: as wide as the viewport and the margins, or as pdf_paper or pdf_width. What is longer than 200 inches goes on further pages. Formats: pdf. Default: false. */
            pdf_single_page?: boolean;
            /**
             * @description Width of the paper, in mm, cm, in, px or pt, instead of pdf_paper. Formats: pdf.
             * @example 210mm
             */
            pdf_width?: string;
            /**
             * @description How much time is spent for a smaller png of the same pixels. fast: the browser's quick encoder. normal: smaller than the browser's usual encoder makes it. best: as small as can be had, in several times the time. Formats: png. Default: fast.
             * @enum {string}
             */
            png_effort?: "fast" | "normal" | "best";
            /**
             * Format: int64
             * @description Encoding quality; a webp of quality 100 is lossless. Ignored by png. Formats: jpeg, webp. Default: 80.
             */
            quality?: number;
            /** @description Set the media feature prefers-reduced-motion to reduce. Default: false. */
            reduced_motion?: boolean;
            /**
             * @description Fail when the page does not show one of these texts. Case and spaces make no difference. One text alone can be a string.
             * @example [
             *       "In stock"
             *     ]
             */
            require_text?: string[] | null;
            /**
             * Format: double
             * @description Device scale factor: 2 doubles the number of pixels in each direction. Default: 1.
             */
            scale?: number;
            /**
             * Format: int64
             * @description Scroll through a full page or a pdf in steps of most of a window, and wait so many milliseconds after each, for pages that need it to load or show their parts. Default: 0.
             */
            scroll_delay?: number;
            /**
             * @description CSS selector. Capture the first element that matches. Formats: png, jpeg, webp.
             * @example #main
             */
            selector?: string;
            /**
             * @description What to do on the page before the picture, in this order, after click: click, fill, press, hover, scroll, wait_for_selector, wait_until_gone, wait_for_text, delay. A step waits until its element can be used; one that cannot be done fails the capture, and the error names it.
             * @example [
             *       {
             *         "selector": "#open",
             *         "type": "click"
             *       }
             *     ]
             */
            steps?: components["schemas"]["Step"][] | null;
            /**
             * @description Put the picture into a bucket of the account's own as well: name of a store (PUT /v1/stores/{name}), key of the object, {id}.{format} by default, and overwrite. As text: name/key. The capture ends when the bucket has the picture, and its result has stored. A bucket that does not take it is tried again; then the capture fails with store_failed.
             * @example archive/{host}/{id}.{format}
             */
            store?: string | {
                /** @description Key of the object, behind the prefix of the store; {id} and the like are filled in. */
                key?: string;
                /** @description Name of a store of the account. */
                name: string;
                /** @description Replace an object that has the key. Without it, the capture fails. */
                overwrite?: boolean;
            };
            /**
             * @description How the picture is fitted into thumb_width and thumb_height; cover by default. cover: fill the size; what is too much is cut off at the bottom, or equally at the sides. contain: the whole picture, with bars in the colour of background. inside: the whole picture, as large as it fits. fill: stretch the picture. Formats: png, jpeg, webp.
             * @enum {string}
             */
            thumb_fit?: "cover" | "contain" | "inside" | "fill";
            /**
             * Format: int64
             * @description Scale the picture to this height in pixels. Without thumb_width the proportions stay. Formats: png, jpeg, webp.
             */
            thumb_height?: number;
            /**
             * Format: int64
             * @description Scale the picture to this width in pixels. Without thumb_height the proportions stay. Formats: png, jpeg, webp.
             */
            thumb_width?: number;
            /**
             * @description virtual: delay, steps and what is waited for pass on a clock of the page, as fast as the page can compute. A delay of 5000 then takes as long as the page computes and loads, and at most 5 s. Default: real.
             * @enum {string}
             */
            time?: "real" | "virtual";
            /**
             * Format: int64
             * @description Limit of the whole render in milliseconds. Default: 30000.
             */
            timeout?: number;
            /**
             * @description Time zone, as an IANA name.
             * @example Europe/Berlin
             */
            timezone?: string;
            /** @description Do not put white behind a page without a background. Formats: png, webp. Default: false. */
            transparent?: boolean;
            /**
             * @description URL of the page to capture. Required, unless html is given.
             * @example https://example.com
             */
            url?: string;
            /** @description User-Agent of all requests and of the page's scripts. */
            user_agent?: string;
            /**
             * @description CSS selector. Wait until an element that matches is visible.
             * @example #chart
             */
            wait_for_selector?: string;
            /**
             * @description Wait until the page shows this text, wherever on it. Case and spaces make no difference.
             * @example Updated today
             */
            wait_for_text?: string;
            /**
             * @description When the page counts as ready. settled: loaded, fonts and visible images included, and quiet for a moment. networkidle: no request for 500 ms. Default: settled.
             * @enum {string}
             */
            wait_until?: "settled" | "load" | "domcontentloaded" | "networkidle";
            /**
             * Format: int64
             * @description Viewport width in CSS pixels. Default: 1440.
             */
            width?: number;
        };
        Page: {
            /** @description Newest first. */
            captures: components["schemas"]["Record"][] | null;
            /** @description Value of cursor for the next page; absent on the last page. */
            next_cursor?: string;
            /**
             * Format: int64
             * @description With count=true: how many there are on all pages, at most 100,000.
             */
            total?: number;
        };
        Problem: {
            /** @description Id of the capture that failed, if there is one. */
            capture_id?: string;
            /** @description Stable name of the error. */
            code: string;
            /** @description The error, and what to do about it. */
            detail: string;
            /** @description Every invalid field of the request. */
            errors?: components["schemas"]["FieldError"][] | null;
            /** @description Report on that capture's page, if it was loaded. */
            report?: components["schemas"]["Report"];
            /** @description Identifies this request in the server's log. */
            request_id?: string;
            /**
             * Format: int64
             * @description HTTP status of the answer.
             */
            status: number;
            /** @description URL of that capture. */
            status_url?: string;
            /** @description The code in words. */
            title: string;
            /**
             * Format: uri
             * @description Documentation of the code.
             */
            type: string;
        };
        Record: {
            /**
             * Format: int64
             * @description Number of attempts to render it.
             */
            attempts: number;
            /** @description Id of its batch, if it has one. */
            batch_id?: string;
            /** @description True if the picture was taken for an earlier capture; see cache_ttl. */
            cached?: boolean;
            /** @description Id of the capture for which the picture was taken, if it is another. */
            cached_from?: string;
            /**
             * Format: date-time
             * @description When the capture was canceled.
             */
            canceled_at?: string;
            /**
             * @description Id of the capture.
             * @example cap_01jd8x6v3m2k9q4t7w5z0a1b2c
             */
            capture_id: string;
            /**
             * Format: date-time
             * @description When the picture was taken: UTC, whole seconds, or null.
             */
            captured_at: string | null;
            /**
             * Format: date-time
             * @description When the capture was accepted.
             */
            created_at: string;
            /** @description Its callbacks, oldest first. Not in lists. */
            deliveries?: components["schemas"]["Delivery"][];
            /** @description Why the capture failed. Only of a failed one. */
            error?: components["schemas"]["Error"];
            /**
             * Format: date-time
             * @description When the capture failed.
             */
            failed_at?: string;
            /** @description File format of the picture. Null without a picture. */
            format: ("png" | "jpeg" | "webp" | "pdf") | null;
            /** @description Whether the whole page was requested. */
            fullpage: boolean;
            /**
             * Format: int64
             * @description Height, as width.
             */
            height: number | null;
            /** @description URL of the picture. It needs no key. Null without a picture. */
            image: string | null;
            /** @description The picture itself, where inline asked for it and allows its size. */
            image_base64?: string;
            /** @description Beginning of the key with which it was asked for; absent for a signed link. */
            key?: string;
            /** @description The metadata of the request. */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /** @description Options that are not their defaults, without secrets. Not in lists. */
            options?: {
                [key: string]: unknown;
            };
            /** @description What may be missing from the picture. Null where the page did not load. */
            report: components["schemas"]["Report"] | null;
            /**
             * Format: int64
             * @description Bytes of the picture. Null without a picture.
             */
            size: number | null;
            /**
             * Format: date-time
             * @description When the last attempt started.
             */
            started_at?: string;
            /**
             * @description State; the last three are final.
             * @enum {string}
             */
            status: "queued" | "running" | "success" | "failed" | "canceled";
            /** @description Where the picture is in the bucket of the option store. */
            stored?: components["schemas"]["Stored"];
            /** @description Milliseconds that the parts of the capture took. Null where it was not rendered. */
            timing: components["schemas"]["Timing"] | null;
            /** @description The requested page; absent with the option html. */
            url?: string;
            /**
             * Format: int64
             * @description Pixels of the picture, or null; of a pdf points (1/72 inch) of its first page.
             */
            width: number | null;
        };
        Redelivered: {
            /**
             * Format: date-time
             * @description When the last one is due: they are spread over time. Absent if there are none.
             */
            last_at?: string;
            /**
             * Format: int64
             * @description With count_only: number of deliveries that would be sent, at most 100,000.
             */
            matching?: number;
            /**
             * Format: int64
             * @description Number of deliveries that are pending again.
             */
            redelivered: number;
        };
        RedeliveryBody: {
            /** @description Deliveries of this capture. */
            capture_id?: string;
            /** @description Send nothing, and answer how many would be sent. */
            count_only?: boolean;
            /**
             * Format: date-time
             * @description Deliveries that ended at this time or later. Needed without state and capture_id.
             */
            since?: string;
            /**
             * @description Deliveries in this state; ended is both. Default: dead.
             * @enum {string}
             */
            state?: "dead" | "delivered" | "ended";
        };
        Report: {
            backdrop?: string;
            blank: boolean;
            console: components["schemas"]["ConsoleReport"];
            cookie_banner?: components["schemas"]["BannerReport"];
            /** Format: int64 */
            dialogs: number;
            final_url?: string;
            fonts: components["schemas"]["FontReport"];
            /** Format: int64 */
            http_status: number;
            moving?: string[] | null;
            /** Format: int64 */
            pages?: number;
            partial: boolean;
            reasons?: string[] | null;
            requests: components["schemas"]["RequestReport"];
            title?: string;
            truncated: boolean;
            /** @enum {string} */
            wall?: "none" | "captcha" | "challenge" | "login" | "consent" | "error_page";
            wall_signs?: string[] | null;
        };
        RequestReport: {
            /** Format: int64 */
            blocked: number;
            /** Format: int64 */
            failed: number;
            named?: string[] | null;
            /** Format: int64 */
            pending: number;
            /** Format: int64 */
            total: number;
        };
        Rotation: {
            /**
             * Format: int64
             * @description How many seconds what is replaced stays valid. Default: 86400.
             */
            overlap?: number;
        };
        SecretInfo: {
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /**
             * @description First and last characters of the secret.
             * @example whsec_MfKQ…aSw=
             */
            hint: string;
            /**
             * Format: date-time
             * @description When an earlier secret stops signing.
             */
            valid_until?: string;
        };
        Sent: {
            /** @description The raw body: the signatures cover exactly these bytes. */
            body: string;
            /** @description Names and values. Values that the request gave are replaced by dots. */
            headers: {
                [key: string]: string;
            };
        };
        SentRequest: {
            /** @description Names and values. Values that the request of the capture gave are replaced by dots. */
            headers: {
                [key: string]: string;
            };
            /** @description POST, PUT or PATCH. */
            method: string;
        };
        Step: {
            /** @description press: a character or a key, with modifiers before it: a, Enter, Control+A. */
            key?: string;
            /**
             * Format: int64
             * @description delay: milliseconds.
             */
            ms?: number;
            /** @description CSS selector of the element. */
            selector?: string;
            /** @description wait_for_text: the text. */
            text?: string;
            /**
             * Format: int64
             * @description How long to wait for the element or text, in milliseconds.
             */
            timeout?: number;
            /**
             * @description What the step does.
             * @enum {string}
             */
            type: "click" | "fill" | "press" | "hover" | "scroll" | "wait_for_selector" | "wait_until_gone" | "wait_for_text" | "delay";
            /** @description fill: the value of the field; none empties it. */
            value?: string;
            /**
             * Format: int64
             * @description scroll: CSS pixels to the right.
             */
            x?: number;
            /**
             * Format: int64
             * @description scroll: CSS pixels down.
             */
            y?: number;
        };
        StepEvent: {
            /**
             * Format: date-time
             * @description Time of the event.
             */
            at: string;
            /**
             * Format: int64
             * @description Number of the attempt, from 1; 0 before the first.
             */
            attempt: number;
            /** @description Id of the capture. */
            capture_id: string;
            /** @description Of a retried event: the cause, if known. */
            code?: string;
            /**
             * @description Of a phase event: its name.
             * @enum {string}
             */
            phase?: "navigate" | "settle" | "shoot" | "encode" | "store";
            /**
             * @description State of the capture from then on.
             * @enum {string}
             */
            status: "queued" | "running";
        };
        Store: {
            /**
             * @description Where the bucket stands in addresses.
             * @enum {string}
             */
            addressing: "auto" | "path" | "virtual";
            /** @description Name of the bucket. */
            bucket: string;
            /**
             * Format: date-time
             * @description When the store was set up.
             */
            created_at: string;
            /**
             * @description URL of the service.
             * @example https://s3.amazonaws.com
             */
            endpoint: string;
            /** @description Name of the store, which captures refer to. */
            name: string;
            /** @description What the keys of all objects begin with; empty for nothing. */
            prefix: string;
            /** @description What the URLs of objects begin with, instead of the bucket's own address. */
            public_url?: string;
            /**
             * @description Region that requests are signed for.
             * @example eu-central-1
             */
            region: string;
            /**
             * Format: date-time
             * @description When it was last set up anew.
             */
            updated_at: string;
        };
        StoreBody: {
            /** @description Credentials of the bucket. No answer contains them. Absent both, the store keeps those that it has, if its endpoint stays the same. */
            access_key_id?: string;
            /**
             * @description path: https://host/bucket/key. virtual: https://bucket.host/key. auto: virtual at Amazon, Google and Alibaba, else path. Default: auto.
             * @enum {string}
             */
            addressing?: "auto" | "path" | "virtual";
            /**
             * @description Name of a bucket that exists.
             * @example my-pictures
             */
            bucket: string;
            /**
             * @description URL of the service: https://host or http://host:port. Default: Amazon S3.
             * @example https://s3.eu-central-1.amazonaws.com
             */
            endpoint?: string;
            /**
             * @description What all keys begin with.
             * @example shots/
             */
            prefix?: string;
            /**
             * @description What the URLs in results begin with, such as a CDN before the bucket. Default: the bucket's own address.
             * @example https://cdn.example.com
             */
            public_url?: string;
            /**
             * @description Region of the bucket. Default: the one that the endpoint names, or us-east-1.
             * @example eu-central-1
             */
            region?: string;
            /** @description See access_key_id. */
            secret_access_key?: string;
        };
        StoreCheck: {
            /**
             * @description What was tried.
             * @enum {string}
             */
            check: "write" | "keep" | "read" | "delete";
            /** @description What went wrong. */
            error?: string;
            /**
             * Format: int64
             * @description Milliseconds that it took.
             */
            latency_ms: number;
            /** @description Whether pictures cannot be put there without it. */
            needed: boolean;
            /**
             * Format: int64
             * @description HTTP status of the answer, if there was one.
             */
            status?: number;
            /** @description Whether it worked. */
            success: boolean;
        };
        StoreList: {
            /** @description By name, without their credentials. */
            stores: components["schemas"]["Store"][] | null;
        };
        StoreTrial: {
            /** @description What was tried, in this order. The test ends with the first that pictures need and that failed. */
            checks: components["schemas"]["StoreCheck"][] | null;
            /** @description What to do next. */
            hints: string[] | null;
            /** @description Whether pictures can be put there. */
            success: boolean;
            /** @description Address of the object that was written. */
            url: string;
        };
        Stored: {
            /** @description Key of the object, with the prefix of the store. */
            key: string;
            /** @description Name of the store. */
            name: string;
            /** @description Address of the object. Whether it can be read there, the bucket decides. */
            url: string;
        };
        TestEvent: {
            /** @description As for a capture. */
            callback_headers?: {
                [key: string]: string;
            };
            /** @description As for a capture. */
            callback_secret?: string;
            /**
             * @description Receiver: http or https.
             * @example https://myapp.example.com/hook
             */
            url: string;
        };
        Timing: {
            /** Format: int64 */
            queue_ms: number;
            /** Format: int64 */
            render_ms: number;
            /** Format: int64 */
            total_ms: number;
        };
        Trial: {
            /** @description First 1 KiB of the receiver's answer, if its address is public. */
            answer?: string;
            /** @description Why the event was not delivered. */
            error?: string;
            /** @description What to check next. */
            hints: string[] | null;
            /**
             * Format: int64
             * @description Milliseconds from the DNS lookup to the end of the answer.
             */
            latency_ms: number;
            /**
             * @description How it ended: delivered for a 2xx, status for any other status.
             * @enum {string}
             */
            outcome: "delivered" | "status" | "timeout" | "connection_failed" | "tls_error" | "name_not_resolved" | "address_blocked";
            /** @description The request that was sent. */
            sent: components["schemas"]["Sent"];
            /**
             * Format: int64
             * @description HTTP status of the receiver's answer, if there was one.
             */
            status?: number;
        };
        Usage: {
            /** @description The account. */
            account: string;
            /** @description What captures of the month count. A full page counts 3; a cached one 0. */
            captures_per_month: components["schemas"]["Use"];
            /**
             * Format: date-time
             * @description First moment of the calendar month, UTC.
             */
            from: string;
            /** @description Captures that are rendered now. */
            pages: components["schemas"]["Use"];
            /** @description Captures that have not ended. */
            pending: components["schemas"]["Use"];
            /** @description Bytes that their options take. */
            pending_bytes: components["schemas"]["Use"];
            /** @description Requests, this one included. */
            requests_per_minute: components["schemas"]["Use"];
            /**
             * Format: int64
             * @description Longest timeout of a capture, in milliseconds; null for that of the API.
             */
            timeout: number | null;
            /**
             * Format: date-time
             * @description First moment of the next month.
             */
            until: string;
        };
        UsageHistory: {
            /** @description The account. */
            account: string;
            /**
             * Format: date-time
             * @description Beginning of the first point, UTC: of an hour or of a day.
             */
            from: string;
            /** @description Oldest first, without a gap: 24, 7 or 30. */
            points: components["schemas"]["UsagePoint"][] | null;
            /**
             * @description How far it goes back.
             * @enum {string}
             */
            span: "24h" | "7d" | "30d";
            /**
             * Format: int64
             * @description Length of a point: 3,600 or 86,400.
             */
            step_seconds: number;
            /** @description All points together. */
            total: components["schemas"]["UsagePoint"];
            /**
             * Format: date-time
             * @description End of the last point, which is not over yet.
             */
            until: string;
        };
        UsagePoint: {
            /**
             * Format: date-time
             * @description When it begins, UTC.
             */
            at: string;
            /**
             * Format: int64
             * @description Bytes of the pictures of success.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Captures that were canceled.
             */
            canceled: number;
            /**
             * Format: int64
             * @description Callbacks that were given up.
             */
            dead: number;
            /**
             * Format: int64
             * @description Callbacks that were delivered.
             */
            delivered: number;
            /**
             * Format: int64
             * @description Captures that failed.
             */
            failed: number;
            /**
             * Format: int64
             * @description Half of success took at most so many milliseconds, to two digits; null without any.
             */
            render_ms_p50: number | null;
            /**
             * Format: int64
             * @description 95 % of success took at most so many milliseconds, to two digits; null without any.
             */
            render_ms_p95: number | null;
            /**
             * Format: int64
             * @description Captures that ended with the picture of another: cached, or rendered at the same time.
             */
            shared: number;
            /**
             * Format: int64
             * @description Captures that ended with a picture that was rendered for them.
             */
            success: number;
        };
        Use: {
            /**
             * Format: int64
             * @description The limit; null for none.
             */
            limit: number | null;
            /**
             * Format: int64
             * @description How much is left; null without a limit.
             */
            remaining: number | null;
            /**
             * Format: int64
             * @description How much captures that have not ended will use at most.
             */
            reserved?: number;
            /**
             * Format: date-time
             * @description When all of it is available again, at the latest; absent if that depends on captures.
             */
            reset?: string;
            /**
             * Format: int64
             * @description How much of it is used.
             */
            used: number;
        };
        Version: {
            /** @description Version of the Go compiler. */
            go: string;
            /** @description Version of the service. */
            version: string;
        };
        View: {
            /** @description Id of its batch, if it has one. */
            batch_id?: string;
            /** @description True if the picture was taken for an earlier capture; see cache_ttl. */
            cached?: boolean;
            /**
             * Format: date-time
             * @description When the capture was canceled.
             */
            canceled_at?: string;
            /**
             * @description Id of the capture.
             * @example cap_01jd8x6v3m2k9q4t7w5z0a1b2c
             */
            capture_id: string;
            /**
             * Format: date-time
             * @description When the picture was taken: UTC, whole seconds, or null.
             */
            captured_at: string | null;
            /** @description Why the capture failed. Only of a failed one. */
            error?: components["schemas"]["Error"];
            /**
             * Format: date-time
             * @description When the capture failed.
             */
            failed_at?: string;
            /** @description File format of the picture. Null without a picture. */
            format: ("png" | "jpeg" | "webp" | "pdf") | null;
            /** @description Whether the whole page was requested. */
            fullpage: boolean;
            /**
             * Format: int64
             * @description Height, as width.
             */
            height: number | null;
            /** @description URL of the picture. It needs no key. Null without a picture. */
            image: string | null;
            /** @description The picture itself, where inline asked for it and allows its size. */
            image_base64?: string;
            /** @description The metadata of the request. */
            metadata?: string | {
                [key: string]: string | number | boolean;
            };
            /** @description What may be missing from the picture. Null where the page did not load. */
            report: components["schemas"]["Report"] | null;
            /**
             * Format: int64
             * @description Bytes of the picture. Null without a picture.
             */
            size: number | null;
            /**
             * @description State; the last three are final.
             * @enum {string}
             */
            status: "queued" | "running" | "success" | "failed" | "canceled";
            /** @description Where the picture is in the bucket of the option store. */
            stored?: components["schemas"]["Stored"];
            /** @description Milliseconds that the parts of the capture took. Null where it was not rendered. */
            timing: components["schemas"]["Timing"] | null;
            /** @description The requested page; absent with the option html. */
            url?: string;
            /**
             * Format: int64
             * @description Pixels of the picture, or null; of a pdf points (1/72 inch) of its first page.
             */
            width: number | null;
        };
        WebhookSecrets: {
            /** @description The current secret. */
            current: components["schemas"]["SecretInfo"];
            /** @description Earlier secrets that still sign as well, newest first. */
            previous: components["schemas"]["SecretInfo"][] | null;
            /** @description The new secret. Only the answer that creates it contains it. */
            secret?: string;
        };
        /**
         * @description Stable name of an error. docs/errors.md says what each means.
         * @enum {string}
         */
        ErrorCode: "invalid_request" | "unauthorized" | "forbidden" | "not_found" | "method_not_allowed" | "misdirected_request" | "conflict" | "idempotency_mismatch" | "too_large" | "unsupported_media_type" | "rate_limited" | "quota_exceeded" | "too_many_pending" | "name_not_resolved" | "connection_failed" | "tls_error" | "navigation_timeout" | "address_blocked" | "http_error" | "selector_not_found" | "step_failed" | "text_missing" | "text_found" | "wall" | "blank" | "request_failed" | "page_crashed" | "browser_lost" | "too_many_redirects" | "not_a_page" | "store_failed" | "queue_full" | "shutting_down" | "storage_unavailable" | "service_fault" | "render_timeout" | "internal_error";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

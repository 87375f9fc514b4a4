/** The style of the page around the drawing; the colours are the drawing's. */
export const PAGE_STYLE = `
*{box-sizing:border-box}
html{background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif}
body{max-width:1248px;margin:0 auto;padding:28px 32px 48px}
.signs{position:absolute}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
p{margin:0;color:var(--muted)}
.tally{display:flex;flex-wrap:wrap;gap:10px;margin:16px 0 0}
button{display:inline-flex;align-items:center;gap:7px;font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--edge);border-radius:999px;padding:5px 14px}
button:not(:disabled){cursor:pointer}
button:not(:disabled):hover{border-color:var(--link)}
button[aria-pressed=true]{border-color:var(--ink);box-shadow:0 0 0 1px var(--ink)}
form{display:flex;align-items:center;gap:10px;margin:14px 0 0}
form[hidden]{display:none}
input{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--edge);border-radius:8px;padding:6px 12px;width:340px}
input:focus-visible,button:focus-visible{outline:2px solid var(--link);outline-offset:1px}
output{color:var(--muted)}
figure{margin:20px -24px 0;overflow-x:auto}
figure .fleet{display:block;margin:0 auto}
figcaption{display:flex;flex-wrap:wrap;gap:6px 22px;justify-content:center;margin:6px 24px 0;font-size:13px;color:var(--muted)}
figcaption span{display:inline-flex;align-items:center;gap:7px}
.sign{flex:none;vertical-align:-3px;margin-right:6px}
button .sign,figcaption .sign{margin:0}
table{width:100%;border-collapse:collapse;margin:12px 0 0;font-size:13px}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
details{margin:36px 0 0;position:relative}
summary{font-size:18px;font-weight:600;cursor:pointer;width:max-content}
th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;overflow-wrap:anywhere}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--muted);font-weight:500;border-bottom:1px solid var(--edge);overflow-wrap:normal}
tbody>tr:first-child>*{border-top:1px solid var(--edge)}
tbody th{font-weight:600}
tbody[hidden]{display:none}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;font-size:12.5px}
small{display:block;font-size:12px;color:var(--muted)}
small code{font-size:12px}
.number{text-align:right}.number,.time{white-space:nowrap}
th small{font-weight:400}
@media print{form,button{display:none}}`;

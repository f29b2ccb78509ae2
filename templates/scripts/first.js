"use strict";
// Before anything is laid out: with JavaScript one view is shown at a time.
document.documentElement.classList.add("js");

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Message IDs in the journal. packaging/systemd/vmon.catalog explains each.
 */
#ifndef VMON_COMMON_MESSAGES_H
#define VMON_COMMON_MESSAGES_H

#define MESSAGE_GUEST_STARTED		"f22b39fbaeb2416294c1bc348ecf2c39"
#define MESSAGE_GUEST_ENDED		"6b782c226faf4f2ca3aa6828a3533a51"
#define MESSAGE_GUEST_CRASHED		"9d3baab181c34b66916006300a934868"
#define MESSAGE_GUEST_RESTARTED		"ad9f451ce5204155a7dad974f4af7891"
#define MESSAGE_GUEST_REFUSED		"8e06bbda1bd54f4caa49c2ef82e0598c"
#define MESSAGE_CONSOLE_LOG_LOST	"922d6e68551b4a5aaec0725293c8e47c"

#endif /* VMON_COMMON_MESSAGES_H */

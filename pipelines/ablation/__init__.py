"""PRN's ablation: its Table 4 trained again, and what the results say."""
